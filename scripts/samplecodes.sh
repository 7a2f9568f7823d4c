#!/bin/sh
# The codes of the sample catalogue's types and items with these names, as a JSON list without its brackets.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
sep=""
for name in "$@"; do
	code=$(jq -er --arg name "$name" 'first((.types + .items)[] | select(.name == $name) | .code)' \
		"$here/share/catalogue/sample.json") || { echo "no type or item is called $name" >&2; exit 1; }
	printf '%s"%s"' "$sep" "$code"
	sep=", "
done

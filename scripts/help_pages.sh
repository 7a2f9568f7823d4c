#!/bin/sh
# Writes the man pages and the bash completion from what the programs themselves say in --help, and the page of the
# configuration from docs/operations.md, so that none of them can say anything else.
# usage: scripts/help_pages.sh BUILD OUT      (makes OUT/yinzheng.1 yinzhengd.8 yinzhengd.ini.5 yinzheng.bash)
set -eu
B=$1 OUT=$2
mkdir -p "$OUT"
VERSION=$("$B/yinzheng" --version | awk '{print $2}')

head_of() { # NAME SECTION "short text"
	printf '.TH %s %s "" "Yinzheng %s" "Yinzheng"\n.SH NAME\n%s \\- %s\n' \
		"$(echo "$1" | tr a-z A-Z)" "$2" "$VERSION" "$1" "$3"
}
# Help texts stand as they are: without filling, a dot or quote in front is no request, a backslash is itself.
as_is() {
	echo .nf
	sed -e 's/\\/\\e/g' -e "s/^\([.']\)/\\\\\&\1/" -e 's/-/\\-/g'
	echo .fi
}
commands() { "$B/yinzheng" --help | awk '/^  [a-z]/ {print $1}'; }
# Words that may follow COMMAND: those of its usage line that have a help of their own.
subcommands() {
	"$B/yinzheng" "$1" --help | sed -n "1s/^usage: yinzheng $1 //p" | tr '|' '\n' | awk '{print $1}' |
		grep -x '[a-z-]*' | while read -r word; do
			if "$B/yinzheng" "$1" "$word" --help 2>/dev/null | grep -q "^usage: yinzheng $1 $word"; then echo "$word"; fi
		done || true
}
options() { "$B/yinzheng" "$@" --help | grep -o '^ *\(-[a-zA-Z], *\)\?--[a-z0-9-]*' | grep -o -e '--[a-z0-9-]*' | sort -u; }

{
	head_of yinzheng 1 "electronic seals and licences: issue, show, check"
	echo ".SH SYNOPSIS"
	"$B/yinzheng" --help | sed -n '1s/^usage: //p' | as_is
	echo ".SH DESCRIPTION"
	"$B/yinzheng" --help | sed 1,2d | as_is
	echo ".SH COMMANDS"
	for c in $(commands); do
		echo ".SS yinzheng $c"
		"$B/yinzheng" "$c" --help | as_is
		for s in $(subcommands "$c"); do
			echo ".SS yinzheng $c $s"
			"$B/yinzheng" "$c" "$s" --help | as_is
		done
	done
	printf '.SH SEE ALSO\n.BR yinzhengd (8),\n.BR yinzhengd.ini (5)\n'
} >"$OUT/yinzheng.1"

{
	head_of yinzhengd 8 "the electronic seal and licence service"
	echo ".SH SYNOPSIS"
	"$B/yinzhengd" --help | sed -n '/^usage: /,/^$/p' | sed 's/^usage: //; s/^       //' | as_is
	echo ".SH DESCRIPTION"
	"$B/yinzhengd" --help | sed '1,/^$/d' | as_is
	printf '.SH FILES\n.TP\n.I /etc/yinzheng/yinzhengd.ini\nthe configuration of the packaged service\n'
	printf '.SH SEE ALSO\n.BR yinzheng (1),\n.BR yinzhengd.ini (5)\n'
} >"$OUT/yinzhengd.8"

{
	head_of yinzhengd.ini 5 "configuration of yinzhengd"
	echo ".SH DESCRIPTION"
	sed -n '/^## Configuration/,/^| section/p' docs/operations.md | sed '1d;$d' | sed 's/`//g' | as_is
	echo ".SH KEYS"
	awk -F' *\\| *' '/^\| section \| key/ {on = 1; getline; next} on && !/^\|/ {exit}
		on {gsub(/[`\\]/, ""); printf ".TP\n\\fB%s\\fR %s (default: %s)\n%s\n", $2, $3, $4, $5}' \
		docs/operations.md | sed 's/-/\\-/g'
	printf '.SH SEE ALSO\n.BR yinzhengd (8)\n'
} >"$OUT/yinzhengd.ini.5"

{
	echo "# bash completion for yinzheng and yinzhengd, made from their --help"
	echo "_yinzheng() {"
	echo '	local cur=${COMP_WORDS[COMP_CWORD]} words='
	echo '	case "${COMP_WORDS[1]} ${COMP_WORDS[2]}" in'
	for c in $(commands); do
		subs=$(subcommands "$c")
		for s in $subs; do
			echo "	\"$c $s\") words=\"$(options "$c" "$s" | tr '\n' ' ')\" ;;"
		done
		echo "	\"$c \"*) words=\"$(echo $subs $(options "$c" | tr '\n' ' '))\" ;;"
	done
	echo "	*) words=\"$(commands | tr '\n' ' ')--help --version\" ;;"
	echo '	esac'
	echo '	[ "$COMP_CWORD" -gt 1 ] || words="'"$(commands | tr '\n' ' ')"'--help --version"'
	echo '	COMPREPLY=($(compgen -W "$words" -- "$cur"))'
	echo "}"
	echo "_yinzhengd() {"
	echo '	local cur=${COMP_WORDS[COMP_CWORD]}'
	daemon=$("$B/yinzhengd" --help | awk '/^usage:/ {u = 1} u && /yinzhengd [a-z]/ {for (i = 1; i < NF; i++) if ($i == "yinzhengd") print $(i + 1)} /^$/ {exit}' | sort -u | tr '\n' ' ')
	echo "	local words=\"$daemon$("$B/yinzhengd" --help | grep -o -e '--[a-z-]*' | sort -u | tr '\n' ' ')\""
	echo '	COMPREPLY=($(compgen -W "$words" -- "$cur"))'
	echo "}"
	echo "complete -o default -F _yinzheng yinzheng"
	echo "complete -o default -F _yinzhengd yinzhengd"
} >"$OUT/yinzheng.bash"

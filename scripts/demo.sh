#!/usr/bin/env bash
# The main job, told with real calls: a new server, a new store, every step through the command line.
# usage: scripts/demo.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
dir=$build/demo
umask 077
export LC_ALL=C.UTF-8

bold=$(printf '\033[1m') dim=$(printf '\033[2m') off=$(printf '\033[0m')
[ -t 1 ] && [ -z "${NO_COLOR:-}" ] || bold='' dim='' off=''
step=0
say() { step=$((step + 1)); printf '\n%s%d. %s%s\n' "$bold" "$step" "$1" "$off"; shift; for l in "$@"; do printf '%s   %s%s\n' "$dim" "$l" "$off"; done; }
show() { sed 's/^/   /'; }
as() { # PROFILE COMMAND …
	who=$1
	shift
	"$build/yinzheng" "$@" --config "$dir/client.ini" --profile "$who"
}
refused() { # REASON COMMAND …: must fail, and for this reason
	want=$1
	shift
	if "$@" >"$dir/out" 2>&1; then
		cat "$dir/out" >&2
		echo "this should have been refused: $*" >&2
		exit 1
	fi
	show <"$dir/out"
	grep -q "$want" "$dir/out" || { echo "not the expected reason $want" >&2; exit 1; }
}
code_of() { scripts/samplecodes.sh "$1" | tr -d '"'; }

[ ! -d "$dir" ] || scripts/devserver.sh "$build" "$dir" stop
rm -rf "$dir"
mkdir -p "$dir"
trap 'scripts/devserver.sh "$build" "$dir" stop' EXIT
trap 'exit 130' INT TERM

say '一个全新的服务 A new server, with an empty store' \
	'mutual TLS on a free loopback port; every role has its own certificate; SM2 keys for seals and receipts'
scripts/devserver.sh "$build" "$dir" start
as window health | show
as system catalog load share/catalogue/sample.json | show

say '制章 Seals are made for two agencies' 'a sample picture is drawn; the maker signs; the seal must verify before it is kept'
make_seal() { # NAME CODE CERT FILE
	as sealer seal create --name "$1" --owner "$2" --signer "build/pki/sm2/$3.crt" --valid-to 2029-12-31 \
		--application 制章申请-2026-001 --approver 审批员-02 -o "$dir/$4" | grep -E '^  (id|name|valid_end|maker):' | show
}
make_seal 云州市市场监督管理局 11990100MB00001073 samr samr.esl
make_seal 云州市自然资源和规划局 11990100MB0000203C mnr mnr.esl
"$build/yinzheng" verify --trust build/pki/trust "$dir/samr.esl" | head -3 | show

say '发证 The agencies issue licences to 张小满 (an invented person)' \
	'data checked against the type, identifier by GB/T 36904, canonical record sealed with the agency’s seal'
me='{"name": "张小满", "code_type": "111", "code": "990101199003070015"}'
issue() { # PROFILE TYPE NUMBER HOLDER FIELDS-JSON [VALID-TO] -> identifier
	printf '{"type_code": "%s", "number": "%s", "holders": [%s], "valid_to": "%s", "fields": %s}' "$(code_of "$2")" "$3" \
		"$4" "${6:-}" "$(printf '%s' "$5" | jq -c 'to_entries | map({name: .key, value: .value})')" |
		as "$1" licence issue - --json | jq -er .licence.id
}
card=$(issue issuer-samr 居民身份证 990101199003070015 "$me" '{"姓名": "张小满", "性别": "女", "民族": "汉",
	"出生日期": "1990-03-07", "住址": "云州市向阳路8号", "公民身份号码": "990101199003070015", "签发机关": "云州市公安局"}')
social=$(issue issuer-samr 社会保障卡 YZ00000001 "$me" '{"姓名": "张小满", "社会保障号码": "990101199003070015",
	"社会保障卡卡号": "YZ00000001", "发卡地区": "云州市", "发卡日期": "2021-05-06", "服务银行": "云州银行",
	"银行卡号": "6200000000000000001"}')
house=$(issue issuer-mnr 不动产权证书 云2023不动产权第0000001号 "$me" '{"权利人": "张小满", "共有情况": "单独所有",
	"坐落": "云州市向阳路8号3单元201", "不动产单元号": "990101001001GB00001F00010001", "权利类型": "国有建设用地使用权/房屋所有权",
	"权利性质": "出让/市场化商品房", "用途": "住宅", "建筑面积（平方米）": "88.50", "登记机构": "云州市自然资源和规划局"}')
for id in "$card" "$social" "$house"; do echo "$id"; done | show

say '预览与授权 The citizen sees what would leave, agrees, and gets a QR' \
	'one minute, one use, for windows that handle this item; the QR holds a random name and no data'
code_request() { # KIND-SPECIFIC-JSON
	jq -n --argjson holder "$me" --argjson more "$1" --arg now "$(date -u +%Y-%m-%dT%H:%M:%SZ)" '{holder: $holder, presenter: {name: "张小满",
		code_type: "111", code: $holder.code, capacity: "self", authentication: {method: "face", level: 3, time: $now,
		reference: "demo"}}} + $more'
}
item=$(code_of 公积金提取)
use_code() { # FILE.png
	code_request "{\"kind\": \"use\", \"audience\": {\"kind\": \"windows\"}, \"purpose\": \"提取住房公积金\",
		\"item_code\": \"$item\", \"life_seconds\": 120}" | as wallet code issue - --yes -o "$1"
}
use_code "$dir/code.png" | show
echo
echo "scanned back from $dir/code.png:" | show
"$build/yinzheng" qr scan --json "$dir/code.png" | jq -er '.codes[0].text' | tee "$dir/code.txt" | show
"$build/yinzheng" qr draw - <"$dir/code.txt"

say '窗口用证 The window scans it and pulls what its item needs' 'item, case, purpose and operator are mandatory; no field but those of the item'
id=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')
pull() { # IMAGE …
	image=$1
	shift
	as window pull --qr "$image" --item "$item" --case GJJ-2026-000123 --purpose 提取住房公积金 "$@"
}
pull "$dir/code.png" --receipt "$dir/receipt.yzr" --request-id "$id" | show

say '离线验回执 Anybody verifies the receipt, without the server'
"$build/yinzheng" verify --trust build/pki/trust "$dir/receipt.yzr" | head -4 | show

say '同一请求再问一次 The reply was lost? The same request gets the same answer' 'the code is still used once'
pull "$dir/code.png" --request-id "$id" | head -1 | show
say '同一码再用一次 The same code with another request is refused'
refused CODE_USED pull "$dir/code.png"

say '执法核验 An officer inspects a food licence by show-code'
food='{"name": "云州市小满餐饮有限公司", "code_type": "001", "code": "91990100MA0000001H"}'
food_code=$("$build/yinzheng" id make credit --first17 91990100MA0000001 | tail -1)
food=$(printf '%s' "$food" | jq -c --arg c "$food_code" '.code = $c')
shop=$(issue issuer-samr 食品经营许可证 JY29901000000001 "$food" "{\"经营者名称\": \"云州市小满餐饮有限公司\",
	\"统一社会信用代码\": \"$food_code\", \"法定代表人（负责人）\": \"张小满\", \"住所\": \"云州市向阳路9号\",
	\"经营场所\": \"云州市向阳路9号\", \"主体业态\": \"餐饮服务经营者\", \"经营项目\": \"热食类食品制售\",
	\"发证机关\": \"云州市市场监督管理局\"}" 2030-12-31)
me=$food code_request "{\"kind\": \"show\", \"audience\": {\"kind\": \"inspectors\"}, \"purpose\": \"接受日常检查\",
	\"show\": [{\"licence_id\": \"$shop\"}]}" |
	jq '.presenter.code = "990101199003070015" | .presenter.capacity = "legal_representative"' |
	as wallet code issue - -o "$dir/show.png" >/dev/null
as inspector inspect --qr "$dir/show.png" --purpose 餐饮日常检查 --place 云州市向阳路9号 | show

say '暂停 A licence is suspended; the next pull says so' 'suspended is not forged: the verdict stays, the data does not leave'
printf '%s\n' "$social" | as issuer-samr licence status - --state suspended --reason 持卡人挂失 | grep -E 'state' | show
use_code "$dir/code2.png" >/dev/null
pull "$dir/code2.png" | show

say '改一个字节 One byte of a licence file is changed'
printf '%s\n' "$house" | as issuer-mnr licence file - -o "$dir/house.yzl" | show
"$build/yinzheng" verify --trust build/pki/trust "$dir/house.yzl" | head -2 | show
cp "$dir/house.yzl" "$dir/forged.yzl"
at=$(grep -abo '88.50' "$dir/forged.yzl" | head -1 | cut -d: -f1)
printf '98.50' | dd of="$dir/forged.yzl" bs=1 seek="$at" conv=notrunc 2>/dev/null
refused HASH "$build/yinzheng" verify --trust build/pki/trust "$dir/forged.yzl"

say '审计 Every use and change is in the log' 'personal values stand apart from the record, which holds salted digests only'
as audit audit list --action pull | show

trap - EXIT
scripts/devserver.sh "$build" "$dir" stop
cat <<EOT

${bold}Done.${off} The server is stopped; what was made is in $dir (QR pictures, receipt, licence files, log).
What to try next:
  $build/yinzheng verify --help
  $build/yinzheng verify --json --trust build/pki/trust $dir/receipt.yzr $dir/house.yzl $dir/forged.yzl | jq .
  scripts/devserver.sh $build build/my start     a server that stays; profiles in build/my/client.ini
  make test                                      every test
  docs/flows.md, docs/api.md                     how it works, how to call it
EOT

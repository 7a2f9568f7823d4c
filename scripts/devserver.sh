#!/bin/sh
# A real server with its own store, for the demo, the tests and for trying things out.
# usage: scripts/devserver.sh BUILD DIR start|stop|enrol|configure|init|run
#   configure  PKI (build/pki), DIR/yinzhengd.ini, DIR/client.ini with a profile for every role
#   init       new store and master key; the two security administrators
#   run        starts the server on a free loopback port, waits until it serves (DIR/port, DIR/pid, DIR/server.log)
#   enrol      the other principals, as an administrator would
#   start      all of these; with a store that is there already it goes on with that one
#   stop       ends the server
# With STORE=postgres in the environment the store is a database of its own on the PostgreSQL at YZ_PG_URL; without
# that address one is started for it in DIR/pg (scripts/pgserver.sh). What stands in DIR/store.url is used as it is, so
# that several servers can share a store.
set -eu
umask 077

usage() { sed -n '3p' "$0" | cut -c3- >&2; exit 64; }
[ $# -eq 3 ] || usage
here=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "$1" && pwd)
mkdir -p "$2"
dir=$(cd "$2" && pwd)
pki=$here/build/pki

CENTRE=11990100MB00004061 DATA=11990100MB0000502A SAMR=11990100MB00001073 MNR=11990100MB0000203C

# The store's address.
store_url() {
	if [ -s "$dir/store.url" ]; then
		cat "$dir/store.url"
		return
	fi
	if [ "${STORE:-}" != postgres ]; then
		echo sqlite:store.db
		return
	fi
	if [ -z "${YZ_PG_URL:-}" ]; then
		"$here/scripts/pgserver.sh" "$dir/pg" start >&2 && YZ_PG_URL=$("$here/scripts/pgserver.sh" "$dir/pg" url)
	fi
	name=yz_$(echo "$dir" | cksum | cut -d' ' -f1)_$$
	psql -qX -d "$YZ_PG_URL" -c "CREATE DATABASE $name" >&2
	address=${YZ_PG_URL%%\?*}
	echo "${address%/*}/$name${YZ_PG_URL#"$address"}" | tee "$dir/store.url"
}

configure() {
	url=$(store_url)
	"$here/certs/make-pki.sh" "$pki" >/dev/null
	cat >"$dir/yinzhengd.ini" <<-INI
		[server]
		listen = 127.0.0.1:0
		port_file = port
		health_socket = health.sock
		[service]
		name = 云州市电子证照服务（示例）
		[tls]
		cert = $pki/tls/server.crt
		key = $pki/tls/server.key
		client_ca = $pki/tls/ca.crt
		[store]
		url = $url
		master_key = master.key
		[trust]
		path = $pki/trust
		[receipt]
		cert = $pki/sm2/receipt.crt
		key = $pki/sm2/receipt.key
		passphrase_file = $pki/passphrase
		[verdict]
		cert = $pki/sm2/verdict.crt
		key = $pki/sm2/verdict.key
		passphrase_file = $pki/passphrase
		[maker]
		cert = $pki/sm2/maker.crt
		key = $pki/sm2/maker.key
		passphrase_file = $pki/passphrase
		[seal-key samr]
		cert = $pki/sm2/samr.crt
		key = $pki/sm2/samr.key
		passphrase_file = $pki/passphrase
		[seal-key mnr]
		cert = $pki/sm2/mnr.crt
		key = $pki/sm2/mnr.key
		passphrase_file = $pki/passphrase
	INI
	[ ! -s "$dir/extra.ini" ] || cat "$dir/extra.ini" >>"$dir/yinzhengd.ini"
}

init() {
	"$build/yinzhengd" init --config "$dir/yinzhengd.ini" --admin-cert "$pki/tls/security1.crt" \
		--admin-cert "$pki/tls/security2.crt" --admin-org $DATA --admin-name 云州市大数据管理局 >>"$dir/init.log" 2>&1 ||
		{ cat "$dir/init.log" >&2; exit 1; }
	: >"$dir/initialised"
}

profile() { # NAME OPERATOR-NAME TERMINAL
	cat <<-INI
		[profile $1]
		server = localhost:$port
		ca = $pki/tls/ca.crt
		cert = $pki/tls/$1.crt
		key = $pki/tls/$1.key
		operator_id = $1-01
		operator_name = $2
		operator_terminal = $3
	INI
}

profiles() {
	port=$(cat "$dir/port")
	{
		profile security1 安全员甲 管理终端1
		profile security2 安全员乙 管理终端2
		profile system 系统员 管理终端3
		profile audit 审计员 管理终端4
		profile sealer 制章员 制章终端
		profile issuer-samr 陈静 市场监管发证终端
		profile issuer-mnr 刘洋 不动产发证终端
		profile wallet 亮证端 亮证端
		profile window 王芳 综合窗口3号
		profile window2 李强 综合窗口4号
		profile inspector 赵磊 执法终端27
		profile stranger 路人 无
		profile expired 过期 无
	} >"$dir/client.ini"
}

# By the program, because the number may be another process by now, and kill -0 counts a zombie.
running() {
	[ -s "$dir/pid" ] || return 1
	case $(readlink "/proc/$(cat "$dir/pid")/exe" 2>/dev/null) in
	*/yinzhengd | */yinzhengd\ \(deleted\)) return 0 ;;
	esac
	return 1
}

run() {
	rm -f "$dir/port"
	"$build/yinzhengd" run --config "$dir/yinzhengd.ini" >>"$dir/server.log" 2>&1 &
	echo $! >"$dir/pid"
	for _ in $(seq 150); do
		[ ! -s "$dir/port" ] || { profiles; return 0; }
		kill -0 "$(cat "$dir/pid")" 2>/dev/null || break
		sleep 0.1
	done
	tail -20 "$dir/server.log" >&2
	echo "the server did not start, see $dir/server.log" >&2
	exit 1
}

principal() { # NAME JSON-REST, as security1
	printf '{"id": "%s", %s}' "$1" "$2" | "$build/yinzheng" principal put - --key-of "$pki/tls/$1.crt" \
		--config "$dir/client.ini" --profile "${as:-security1}" --json >>"$dir/enrol.log" ||
		{ tail -1 "$dir/enrol.log" >&2; exit 1; }
}

enrol() {
	data="\"org_code\": \"$DATA\", \"org_name\": \"云州市大数据管理局\""
	centre="\"org_code\": \"$CENTRE\", \"org_name\": \"云州市政务服务中心\""
	principal system "\"name\": \"目录管理\", $data, \"roles\": [\"system\"]"
	principal audit "\"name\": \"审计\", $data, \"roles\": [\"audit\"]"
	principal sealer "\"name\": \"印章管理\", $data, \"roles\": [\"sealer\"]"
	principal issuer-samr "\"name\": \"市场监管发证系统\", \"org_code\": \"$SAMR\", \"org_name\": \"云州市市场监督管理局\",
		\"roles\": [\"issuer\"], \"types\": [$("$here/scripts/samplecodes.sh" 营业执照 食品经营许可证 居民身份证 社会保障卡)]"
	principal issuer-mnr "\"name\": \"不动产登记系统\", \"org_code\": \"$MNR\", \"org_name\": \"云州市自然资源和规划局\",
		\"roles\": [\"issuer\"], \"types\": [$("$here/scripts/samplecodes.sh" 不动产权证书 建筑工程施工许可证)]"
	principal wallet "\"name\": \"云州办\", $data, \"roles\": [\"wallet\"]"
	principal window "\"name\": \"综合窗口\", $centre, \"roles\": [\"window\"], \"items\": [\"*\"]"
	principal window2 "\"name\": \"公积金窗口\", $centre, \"roles\": [\"window\"],
		\"items\": [$("$here/scripts/samplecodes.sh" 公积金提取)]"
	# The right to inspect without the citizen is sensitive: two administrators must want it.
	inspector="\"name\": \"市场执法\", $centre, \"roles\": [\"inspector\"], \"types\": [\"*\"], \"statutory\": true"
	principal inspector "$inspector"
	as=security2 principal inspector "$inspector"
	: >"$dir/enrolled"
}

stop() {
	! running || kill "$(cat "$dir/pid")" 2>/dev/null || true
	for _ in $(seq 150); do
		running || break
		sleep 0.1
	done
	! running || kill -9 "$(cat "$dir/pid")" 2>/dev/null || true
	rm -f "$dir/pid"
	[ ! -e "$dir/pg" ] || "$here/scripts/pgserver.sh" "$dir/pg" stop
}

start() {
	if running; then
		echo "the server runs already, process $(cat "$dir/pid")"
		return 0
	fi
	[ ! -e "$dir/pg" ] || "$here/scripts/pgserver.sh" "$dir/pg" start
	configure
	[ -e "$dir/initialised" ] || [ -e "$dir/store.db" ] || init
	run
	[ -e "$dir/enrolled" ] || enrol
}

case $3 in
configure | init | run | enrol | start | stop) $3 ;;
*) usage ;;
esac

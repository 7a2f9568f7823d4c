#!/bin/sh
# Makes the development PKI: an SM2 tree for seals and statements, a P-256 tree for TLS.
# usage: certs/make-pki.sh OUTDIR      does nothing when OUTDIR is complete; an incomplete one is made anew
set -eu
umask 077

[ $# -eq 1 ] && [ -n "${1%/}" ] || { echo "usage: $0 OUTDIR" >&2; exit 64; }
out=${1%/}
here=$(cd "$(dirname "$0")" && pwd)
log=

SM2_ID=1234567812345678
STATEMENT_ARC=2.25.105039159541296996231050704801945025399 # lib/form/statement.h
SM2_SIGNERS="maker samr mnr hrss receipt verdict checkpoint revoked expired"
TLS_CLIENTS="security1 security2 system audit sealer issuer-samr issuer-mnr wallet window window2 inspector gateway stranger expired"

# The organisations are invented; their credit codes (GB 32100) have right check characters and no real region.
org() {
	case $1 in
	samr | issuer-samr) echo '/C=CN/O=云州市市场监督管理局/organizationIdentifier=11990100MB00001073' ;;
	mnr | issuer-mnr) echo '/C=CN/O=云州市自然资源和规划局/organizationIdentifier=11990100MB0000203C' ;;
	hrss) echo '/C=CN/O=云州市人力资源和社会保障局/organizationIdentifier=11990100MB000030XJ' ;;
	window | window2 | inspector) echo '/C=CN/O=云州市政务服务中心/organizationIdentifier=11990100MB00004061' ;;
	*) echo '/C=CN/O=云州市大数据管理局/organizationIdentifier=11990100MB0000502A' ;;
	esac
}

name() {
	case $1 in
	root) echo '印证开发根 SM2' ;;
	maker) echo '云州市电子印章制章中心' ;;
	samr) echo '云州市市场监督管理局 电子签章' ;;
	mnr) echo '云州市自然资源和规划局 电子签章' ;;
	hrss) echo '云州市人力资源和社会保障局 电子签章' ;;
	receipt) echo '印证 用证回执' ;;
	verdict) echo '印证 验证结论' ;;
	checkpoint) echo '印证 审计检查点' ;;
	revoked) echo '已吊销的测试签章' ;;
	expired) echo '已过期的测试签章' ;;
	esac
}

# The extended key usage of a statement certificate; other SM2 certificates have none.
purpose() {
	case $1 in
	receipt) echo $STATEMENT_ARC.1 ;;
	verdict) echo $STATEMENT_ARC.2 ;;
	checkpoint) echo $STATEMENT_ARC.3 ;;
	esac
}

# ---- is it there already? ------------------------------------------------------------------------------------

has_purpose() {
	openssl x509 -in "$1" -noout -ext extendedKeyUsage 2>/dev/null | grep -qxF "    $2"
}

complete() {
	for f in passphrase trust/root.crt trust/root.crl sm2/root.crl tls/ca.crt tls/ca.key; do
		[ -s "$1/$f" ] || return 1
	done
	for n in root $SM2_SIGNERS; do
		[ -s "$1/sm2/$n.crt" ] && [ -s "$1/sm2/$n.key" ] || return 1
	done
	for n in server $TLS_CLIENTS; do
		[ -s "$1/tls/$n.crt" ] && [ -s "$1/tls/$n.key" ] || return 1
	done
	for n in receipt verdict checkpoint; do
		has_purpose "$1/sm2/$n.crt" "$(purpose $n)" || return 1
	done
	# The CRL lasts a year; a PKI in its last weeks is made anew.
	[ -n "$(find "$1/sm2/root.crl" -mtime -300)" ]
}

# Only what this script makes may be thrown away.
is_ours() {
	[ -z "$(find "$1" -mindepth 1 -maxdepth 1 ! -name passphrase ! -name sm2 ! -name tls ! -name trust)" ]
}

if complete "$out" 2>/dev/null; then
	echo "pki: $out is complete, nothing to do"
	exit 0
fi
if [ -e "$out" ] && ! { [ -d "$out" ] && is_ours "$out"; }; then
	echo "pki: $out holds other files; give a folder of its own" >&2
	exit 1
fi

# ---- tools -----------------------------------------------------------------------------------------------------

mkdir -p "$(dirname "$out")"
work=$(mktemp -d "$out.new-XXXXXX")
log=$work/log
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

run() {
	"$@" >"$log" 2>&1 || { cat "$log" >&2; echo "pki: failed: $1 $2" >&2; exit 1; }
}

# new_ca TREE DIGEST: an issuing database for the following certificates
new_ca() {
	export CA_DIR="$work/ca-$1" CA_MD="$2" PURPOSE=
	mkdir -p "$CA_DIR/issued" "$pki/$1"
	: >"$CA_DIR/index.txt"
	echo 01 >"$CA_DIR/crlnumber"
}

ca() { run openssl ca -config "$here/openssl.cnf" -batch -notext "$@"; }

days_from_now() { date -u -d "$1 days" +%Y%m%d%H%M%SZ; }

# Validity of a certificate by its name: the expired ones ended in 2021.
validity() {
	case $1 in
	root) echo "-startdate 20200101000000Z -enddate $(days_from_now 3650)" ;;
	expired) echo "-startdate 20200101000000Z -enddate 20210101000000Z" ;;
	*) echo "-startdate $(days_from_now -1) -enddate $(days_from_now 1825)" ;;
	esac
}

# ---- SM2: the identity must be stated on every signature and check, OpenSSL's own default is the empty one ------

sm2_key_and_request() {
	run openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:SM2 -aes-256-cbc -pass "file:$pki/passphrase" \
		-out "$pki/sm2/$1.key"
	run openssl req -new -config "$here/openssl.cnf" -sm3 -sigopt "distid:$SM2_ID" -key "$pki/sm2/$1.key" \
		-passin "file:$pki/passphrase" -subj "$(org "$1")/CN=$(name "$1")" -out "$work/request"
}

sm2_ca() {
	ca -sigopt "distid:$SM2_ID" -vfyopt "distid:$SM2_ID" -passin "file:$pki/passphrase" \
		-keyfile "$pki/sm2/root.key" "$@"
}

make_sm2() {
	new_ca sm2 sm3
	sm2_key_and_request root
	sm2_ca -selfsign -extensions root $(validity root) -in "$work/request" -out "$pki/sm2/root.crt"
	for n in $SM2_SIGNERS; do
		kind=signer PURPOSE=$(purpose "$n")
		[ -z "$PURPOSE" ] || kind=statement
		sm2_key_and_request "$n"
		sm2_ca -cert "$pki/sm2/root.crt" -extensions $kind $(validity "$n") -in "$work/request" -out "$pki/sm2/$n.crt"
	done
	sm2_ca -cert "$pki/sm2/root.crt" -revoke "$pki/sm2/revoked.crt" -crl_reason keyCompromise
	sm2_ca -cert "$pki/sm2/root.crt" -gencrl -out "$pki/sm2/root.crl"
	mkdir "$pki/trust"
	cp "$pki/sm2/root.crt" "$pki/sm2/root.crl" "$pki/trust/"
}

# ---- TLS: keys are plain, because gRPC reads them so ------------------------------------------------------------

tls_key_and_request() {
	run openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$pki/tls/$1.key"
	run openssl req -new -config "$here/openssl.cnf" -sha256 -key "$pki/tls/$1.key" -subj "$(org "$1")/CN=$1" \
		-out "$work/request"
}

tls_ca() { ca -keyfile "$pki/tls/ca.key" "$@"; }

make_tls() {
	new_ca tls sha256
	tls_key_and_request ca
	tls_ca -selfsign -extensions root $(validity root) -in "$work/request" -out "$pki/tls/ca.crt"
	for n in server $TLS_CLIENTS; do
		kind=tls_client
		[ "$n" != server ] || kind=tls_server
		tls_key_and_request "$n"
		tls_ca -cert "$pki/tls/ca.crt" -extensions $kind $(validity "$n") -in "$work/request" -out "$pki/tls/$n.crt"
	done
}

# ---- make it beside its place, then move it there ---------------------------------------------------------------

pki=$work/pki
mkdir "$pki"
openssl rand -hex 24 >"$pki/passphrase"
make_sm2
make_tls
chmod 0755 "$pki" "$pki/sm2" "$pki/tls" "$pki/trust"
chmod 0644 "$pki"/*/*.crt "$pki"/*/*.crl
complete "$pki"

# Somebody else may have been quicker.
if complete "$out" 2>/dev/null; then
	echo "pki: $out is complete, nothing to do"
	exit 0
fi
rm -rf "$out"
mv -T "$pki" "$out"
echo "pki: made $out"

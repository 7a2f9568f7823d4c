#!/bin/sh
# Signatures, time stamps and OCSP responses by OpenSSL's command line, which is an implementation apart from ours; and a
# time stamping authority below the SM2 root of the development PKI.
# usage: tests/unit/signed_material.sh PKI OUTDIR
set -eu
umask 077
pki=$1 out=$2
rm -rf "$out"
mkdir -p "$out"
exec >"$out/log" 2>&1
SM2_ID=1234567812345678
ext() { printf 'basicConstraints=%s\nkeyUsage=critical,%s\n%s\n' "$1" "$2" "${3:-}" >"$out/ext"; }
key() {
	case $1 in
	sm2*) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:SM2 -out "$out/$1.key" ;;
	p256*) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$out/$1.key" ;;
	small) openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out "$out/$1.key" ;;
	costly) # an exponent of 101 bits
		openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 \
			-pkeyopt rsa_keygen_pubexp:1267650600228229401496703205653 -out "$out/$1.key" ;;
	*) openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$out/$1.key" ;;
	esac
}

# ---- certificates ----
key ca
ext critical,CA:TRUE keyCertSign,cRLSign subjectKeyIdentifier=hash
openssl req -new -key "$out/ca.key" -subj '/CN=Test CA' -out "$out/req"
openssl x509 -req -in "$out/req" -signkey "$out/ca.key" -days 3650 -set_serial 1 -sha256 -extfile "$out/ext" -out "$out/ca.crt"
serial=16
issue() { # NAME EXTENSION
	key "$1"
	ext CA:FALSE digitalSignature "subjectKeyIdentifier=hash
$2"
	openssl req -new -key "$out/$1.key" -subj "/CN=$1" -out "$out/req"
	openssl x509 -req -in "$out/req" -CA "$out/ca.crt" -CAkey "$out/ca.key" -set_serial $serial -days 365 -sha256 \
		-extfile "$out/ext" -out "$out/$1.crt"
	serial=$((serial + 1))
}
issue rsa ''
issue p256 ''
issue small ''
issue costly ''
issue tsa 'extendedKeyUsage=critical,timeStamping'
issue plain ''
issue ocsp 'extendedKeyUsage=OCSPSigning'
# Valid since long before the PKI was made, whose age nobody knows.
cat >"$out/ca.cnf" <<-CNF
	[ca]
	default_ca = d
	[d]
	database = $out/db
	serial = $out/serial
	new_certs_dir = $out
	default_md = sm3
	policy = p
	[p]
	commonName = supplied
CNF
: >"$out/db"
sm2() { # NAME EXTENSION SERIAL
	key "$1"
	ext CA:FALSE digitalSignature "$2"
	echo "$3" >"$out/serial"
	openssl req -new -sm3 -sigopt "distid:$SM2_ID" -key "$out/$1.key" -subj "/CN=$1" -out "$out/req"
	openssl ca -config "$out/ca.cnf" -batch -notext -in "$out/req" -vfyopt "distid:$SM2_ID" -sigopt "distid:$SM2_ID" \
		-cert "$pki/sm2/root.crt" -keyfile "$pki/sm2/root.key" -passin "file:$pki/passphrase" -startdate 20200101000000Z \
		-enddate "$(date -u -d '+365 days' +%Y%m%d%H%M%SZ)" -extfile "$out/ext" -out "$out/$1.crt"
}
sm2 sm2tsa extendedKeyUsage=critical,timeStamping 4D
sm2 sm2ocsp extendedKeyUsage=OCSPSigning 4E

# ---- signatures over `data` ----
printf 'the signed data' >"$out/data"
openssl dgst -sm3 -sign "$out/sm2tsa.key" -out "$out/sm2-empty-id.bare" "$out/data" # OpenSSL's default identity
cms() { # FILE SIGNER OPTION…
	f=$1 s=$2
	shift 2
	openssl cms -sign -binary -in "$out/data" -signer "$out/$s.crt" -inkey "$out/$s.key" -outform DER -out "$out/$f" "$@"
}
cms rsa-detached.p7 rsa -md sha256
cms rsa-attached.p7 rsa -md sha256 -nodetach
cms rsa-plain.p7 rsa -md sha256 -noattr
cms rsa-plain-attached.p7 rsa -md sha256 -noattr -nodetach
cms rsa-keyid.p7 rsa -md sha256 -keyid
cms rsa-nocerts.p7 rsa -md sha256 -nocerts
cms rsa-sha1.p7 rsa -md sha1
cms rsa-md5.p7 rsa -md md5
cms rsa-sha384.p7 rsa -md sha384
cms rsa-pss.p7 rsa -md sha256 -keyopt rsa_padding_mode:pss
cms rsa-cades.p7 rsa -md sha256 -cades
cms rsa-stream.p7 rsa -md sha256 -nodetach -stream
cms p256.p7 p256 -md sha256
cms small.p7 small -md sha256
cms costly.p7 costly -md sha256
cms two.p7 rsa -md sha256 -signer "$out/p256.crt" -inkey "$out/p256.key"
openssl smime -sign -binary -in "$out/data" -signer "$out/rsa.crt" -inkey "$out/rsa.key" -md sha256 -outform DER -out "$out/rsa-smime.p7"
openssl cms -resign -in "$out/rsa-detached.p7" -inform DER -signer "$out/p256.crt" -inkey "$out/p256.key" -outform DER \
	-out "$out/resigned.p7"
openssl crl2pkcs7 -nocrl -certfile "$out/rsa.crt" -outform DER -out "$out/certs-only.p7"
openssl dgst -sha256 -sign "$out/rsa.key" -out "$out/rsa.bare" "$out/data"
openssl dgst -sha256 -sign "$out/p256.key" -out "$out/p256.bare" "$out/data"

# ---- time stamps over `data` ----
for t in tsa plain; do
	cat >"$out/$t.cnf" <<-CNF
		[tsa]
		default_tsa = t
		[t]
		serial = $out/tsserial
		signer_digest = sha256
		default_policy = 1.2.3.4
		digests = sha1, sha256, sm3
		accuracy = secs:1
		ess_cert_id_chain = no
		ess_cert_id_alg = sha256
	CNF
done
stamp() { # FILE DIGEST
	openssl ts -query -data "$out/data" "-$2" -cert -out "$out/req"
	openssl ts -reply -config "$out/tsa.cnf" -queryfile "$out/req" -inkey "$out/tsa.key" -signer "$out/tsa.crt" \
		-out "$out/$1.tsr"
	openssl ts -reply -config "$out/tsa.cnf" -in "$out/$1.tsr" -token_out -out "$out/$1.tst"
}
stamp stamp sha256
stamp stamp-sha1 sha1
stamp stamp-sm3 sm3

# ---- OCSP ----
end=$(date -u -d '+300 days' +%y%m%d%H%M%SZ)
row() { printf '%s\t%s\t%s\t%02X\tunknown\t/CN=%s\n' "$1" "$end" "$2" "$3" "$4"; }
row V '' 16 rsa >"$out/index-good"
row R "$(date -u -d '-1 hour' +%y%m%d%H%M%SZ)" 16 rsa >"$out/index-revoked"
row V '' 99 other >"$out/index-unknown"
ocsp() { # FILE INDEX SIGNER OPTION…
	f=$1 i=$2 s=$3
	shift 3
	openssl ocsp -index "$out/index-$i" -CA "$out/ca.crt" -issuer "$out/ca.crt" -cert "$out/rsa.crt" -rsigner "$out/$s.crt" \
		-rkey "$out/$s.key" -noverify -respout "$out/$f.der" "$@"
}
ocsp ocsp-good good ocsp -ndays 30
ocsp ocsp-good-by-ca good ca -ndays 30
ocsp ocsp-good-short good ocsp -nmin 5
ocsp ocsp-revoked revoked ocsp -ndays 30
ocsp ocsp-unknown unknown ocsp -ndays 30
ocsp ocsp-stranger good plain -ndays 30
# About the SM2 certificate of sm2tsa: with the identity of the standard, and with OpenSSL's own.
sm2_ocsp() { # FILE STATUS OPTION…
	row "$2" "$([ "$2" = V ] || date -u -d '-1 hour' +%y%m%d%H%M%SZ)" 77 sm2tsa >"$out/index-sm2"
	f=$1
	shift 2
	openssl ocsp -index "$out/index-sm2" -CA "$pki/sm2/root.crt" -issuer "$pki/sm2/root.crt" -cert "$out/sm2tsa.crt" \
		-rsigner "$out/sm2ocsp.crt" -rkey "$out/sm2ocsp.key" -rmd sm3 -noverify -ndays 30 -respout "$out/$f.der" "$@"
}
sm2_ocsp ocsp-sm2-good V -rsigopt "distid:$SM2_ID"
sm2_ocsp ocsp-sm2-revoked R -rsigopt "distid:$SM2_ID"
sm2_ocsp ocsp-sm2-empty-id V

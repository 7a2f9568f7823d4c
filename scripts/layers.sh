#!/bin/sh
# The rules of the tree: includes point only downwards, dependencies stay in their rooms.
set -u
bad=0
complain() { [ -z "$2" ] || { printf '%s:\n%s\n' "$1" "$2"; bad=1; }; }

# room -> rooms it may include
allow() {
	case $1 in
	base) echo 'base' ;;
	crypto) echo 'base|crypto' ;;
	form) echo 'base|crypto|form' ;;
	picture) echo 'base|crypto|form|picture' ;;
	verify) echo 'base|crypto|form|verify' ;;
	store) echo 'base|crypto|store' ;;
	desk) echo 'base|crypto|form|picture|verify|store|desk' ;;
	esac
}
for room in base crypto form picture verify store desk; do
	complain "lib/$room includes upwards" "$(grep -nE '^#include "' -r lib/$room | grep -vE "#include \"($(allow $room))/")"
done
complain 'desk/server/cli headers below them' "$(grep -nE '#include "(server|cli)/' -r lib)"
complain 'gRPC or protobuf-c outside server/ and cli/' "$(grep -nE '#include <(grpc|protobuf-c)|pb-c\.h' -r lib)"
complain 'the offline command must not load gRPC' "$(grep -nE '#include <(grpc|protobuf-c)|pb-c\.h' cli/*.c cli/*.h 2>/dev/null)"
complain 'server and cli include each other' "$(grep -n '#include "cli/' -r server; grep -n '#include "server/' -r cli)"
complain 'OpenSSL or libgcrypt outside lib/crypto' "$(grep -nE '#include <(openssl/|gcrypt)' -r lib server cli | grep -v '^lib/crypto/')"
complain "OpenSSL's SM2 outside lib/crypto/sm2_openssl.c" "$(grep -nE '"SM2"|set1_id' -r lib/crypto | grep -v '^lib/crypto/sm2_openssl\.c')"
complain 'database drivers outside lib/store' "$(grep -nE '#include <(sqlite3|libpq-fe)\.h>' -r lib server cli | grep -v '^lib/store/')"
complain 'printing in lib/' "$(grep -nE '(^|[^a-z_])(printf|fprintf|puts|fputs|perror)\(' -r lib)"
complain 'time(NULL) in lib/' "$(grep -nE '(^|[^a-z_])time\(NULL\)|gettimeofday\(' -r lib)"
complain 'globals that change in lib/' "$(grep -nE '^(static )?(int|char|bool|size_t|struct [a-z_]+|pthread_[a-z_]+|uint[0-9]+_t|int64_t) \*?[a-z_]+(\[[^]]*\])?( = .*)?;' -r lib --include='*.c')"
complain 'HTTP served outside server/metrics_http.c' "$(grep -n '#include <microhttpd' -r lib server cli | grep -v '^server/metrics_http\.c')"
complain 'libgrpc called outside rpc*.c and the client' "$(grep -nE '#include <grpc/' -r server cli | grep -vE '^(server/rpc(_call|_internal)?\.[ch]|cli/online/(client\.c|client_grpc\.h|bench_drive\.[ch]))')"
[ $bad -eq 0 ] && echo 'layers: ok'
exit $bad

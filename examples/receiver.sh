#!/usr/bin/env bash
# Takes teleport-webhooks events: verifies the signature, drops repeats, prints the bodies, escaped, on standard error.
#   ./receiver.sh 8080 SECRET_FILE SEEN_DIR           # needs bash, openssl and socat; listens on 127.0.0.1
# The HMAC is put together from two hashes, because a key in openssl's arguments could be read by other users.
set -euf -o pipefail
[[ $1 == --one ]] || SELF=$(realpath "$0")
[[ $1 == --one ]] || export SELF SECRET_FILE=$2 SEEN=$3
key=$(sed 's/^whsec_//' "$SECRET_FILE" | base64 -d | od -An -v -tx1 | tr -d ' \n')
((${#key} >= 48)) || { echo "$SECRET_FILE holds no secret: teleport-webhooks configure --new-secret" >&2; exit 1; }
if [[ $1 != --one ]]; then
  mkdir -p "$SEEN"
  exec socat "TCP-LISTEN:$1,bind=127.0.0.1,reuseaddr,fork,max-children=20" "SYSTEM:exec timeout 20 \\\"\$SELF\\\" --one"
fi

answer() { printf 'HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n' "$1"; exit 0; }
hash() { openssl dgst -sha256 -binary; }
masked_key() { for ((i = 0; i < 128; i += 2)); do printf '\\x%02x' $((0x${key:i:2} ^ $1)); done; }

declare -A header
lines=0
while ((++lines < 100)) && read -r -n 4096 -t 10 line && line=${line%$'\r'} && [[ -n $line ]]; do
  [[ ! $line =~ ^([A-Za-z-]+):\ *(.*)$ ]] || header[${BASH_REMATCH[1],,}]=${BASH_REMATCH[2]}
done
id=${header[webhook-id]:-} sent=${header[webhook-timestamp]:-} length=${header[content-length]:-}
[[ $length =~ ^[0-9]{1,6}$ ]] || answer '411 Length Required'
[[ $id =~ ^[A-Za-z0-9_-]{1,64}$ && $sent =~ ^[1-9][0-9]{0,11}$ ]] || answer '401 Unauthorized'
((sent >= EPOCHSECONDS - 300 && sent <= EPOCHSECONDS + 300)) || answer '401 Unauthorized'

body=$(mktemp)
trap 'rm -f "$body"' EXIT
head -c "$length" >"$body"
key=$key$(printf '%0*d' $((128 - ${#key})) 0)
inner() { printf '%b' "$(masked_key 0x36)" && printf '%s.%s.' "$id" "$sent" && cat "$body"; }
right=$({ printf '%b' "$(masked_key 0x5c)" && inner | hash; } | hash | base64)
for given in ${header[webhook-signature]:-}; do # hashes are compared: their first difference tells nothing
  [[ $(hash <<<"$given" | base64) == $(hash <<<"v1,$right" | base64) ]] && good=1
done
[[ -n ${good:-} ]] || answer '401 Unauthorized'
[[ -e $SEEN/$id ]] || { { cat -v "$body" && echo; } >&2 && touch "$SEEN/$id"; }
answer '204 No Content'

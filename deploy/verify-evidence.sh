#!/bin/sh
# Verifies what a company has signed, with openssl and without central: verify-evidence.sh JWS CERTIFICATE
# Both files come from GET /api/v1/consignments/CCRN/evidence (`jws` and `certificate`). Prints the payload; exits with 1 where
# the certificate's key has not signed it.
set -eu
if [ $# -ne 2 ]; then sed -n 2,4p "$0" >&2; exit 2; fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
decode() { printf %s "$1" | tr -- '-_' '+/' | awk '{ while (length($0) % 4) $0 = $0 "="; print }' | openssl base64 -d -A; }
jws=$(cat "$1")
message=${jws%.*}
printf %s "$message" > "$folder/message"
decode "${jws##*.}" > "$folder/signature"
openssl x509 -in "$2" -pubkey -noout > "$folder/key"
thumbprint=$(openssl x509 -in "$2" -outform DER | openssl dgst -sha256 -binary | openssl base64 -A | tr '+/' '-_' | tr -d =)
if ! decode "${message%%.*}" | grep -qF "\"$thumbprint\""; then echo "another certificate's" >&2; exit 1; fi
if openssl x509 -in "$2" -noout -text | grep -q 'Public Key Algorithm: ED25519'; then
    openssl pkeyutl -verify -pubin -inkey "$folder/key" -rawin -in "$folder/message" -sigfile "$folder/signature" >&2
else
    # JWS writes the two numbers of an ECDSA signature one after the other, openssl reads them as ASN.1.
    hex=$(od -An -v -tx1 "$folder/signature" | tr -d ' \n')
    r=$(printf %s "$hex" | cut -c1-64) s=$(printf %s "$hex" | cut -c65-128)
    printf 'asn1=SEQUENCE:s\n[s]\nr=INTEGER:0x%s\ns=INTEGER:0x%s\n' "$r" "$s" > "$folder/numbers"
    openssl asn1parse -genconf "$folder/numbers" -noout -out "$folder/der"
    openssl dgst -sha256 -verify "$folder/key" -signature "$folder/der" "$folder/message" >&2
fi
decode "${message#*.}"

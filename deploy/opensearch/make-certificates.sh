#!/bin/sh
# An authority of its own and a certificate for the service `opensearch`, once: make-certificates.sh DIRECTORY
set -eu
directory=$1
[ -e "$directory/node.pem" ] && exit 0
work=$(mktemp -d)
cd "$work"
openssl req -x509 -newkey rsa:3072 -nodes -days 3650 -subj "/CN=bitvault-search-authority" -keyout authority.key -out authority.pem 2>/dev/null
openssl req -newkey rsa:3072 -nodes -subj "/CN=opensearch" -keyout node.key -out node.csr 2>/dev/null
printf 'subjectAltName=DNS:opensearch,DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n' > node.ext
openssl x509 -req -in node.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 3650 -extfile node.ext -out node.pem 2>/dev/null
# The account of the image; the key of the authority is kept nowhere.
chown 1000:1000 node.key
chmod 0400 node.key
chmod 0444 authority.pem node.pem
mv authority.pem node.key "$directory/"
mv node.pem "$directory/"
rm -r "$work"

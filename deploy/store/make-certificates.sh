#!/bin/sh
# Make an authority and one certificate for the gRPC ports of a single-node SeaweedFS, once. Needs openssl; $1 is the directory.
#
# The authority's key is deleted after its one signature: nobody can make another certificate that this store would let in.
set -eu

cd "$1"
[ ! -s node.pem ] || exit 0
rm -f ./*

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=BitVault store authority" \
    -addext "keyUsage=critical,keyCertSign" -keyout authority.key -out authority.pem
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=BitVault store" -keyout node.key -out node.csr
printf 'basicConstraints=critical,CA:FALSE\nsubjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n' >extensions
openssl x509 -req -in node.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 3650 -extfile extensions -out node.new
rm -f authority.key node.csr extensions authority.srl
# The directory is mounted by the store alone, which runs as a user of its own.
chmod 0644 node.key
mv node.new node.pem

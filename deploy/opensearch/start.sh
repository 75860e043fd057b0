#!/bin/bash
# The one account that this node knows, from the environment, and then the image's own start.
set -eu
home=/usr/share/opensearch
hash=$("$home/plugins/opensearch-security/tools/hash.sh" -env OPENSEARCH_PASSWORD | tail -n 1)
cat > "$home/config/opensearch-security/internal_users.yml" <<USERS
_meta:
  type: internalusers
  config_version: 2
bitvault:
  hash: "$hash"
  backend_roles: [admin]
USERS
exec "$home/opensearch-docker-entrypoint.sh" opensearch

#!/bin/sh
# Make BitVault's two buckets in any S3 store and let its pages, and nobody else's, talk to them. May be run again at any time.
#
# Needs the AWS command line, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and the variables of .env.example:
# BITVAULT_S3_ENDPOINT_URL and BITVAULT_BASE_URL; BITVAULT_S3_REGION, BITVAULT_S3_BUCKET and BITVAULT_S3_ASSETS_BUCKET have defaults.
set -eu

region=${BITVAULT_S3_REGION:-us-east-1}
# https://vault.example.com, and each tenant one label below it.
scheme=${BITVAULT_BASE_URL%%://*}
host=${BITVAULT_BASE_URL#*://}
host=${host%%/*}

store() {
    aws --endpoint-url "$BITVAULT_S3_ENDPOINT_URL" --region "$region" s3api "$@"
}

for bucket in "${BITVAULT_S3_BUCKET:-bitvault}" "${BITVAULT_S3_ASSETS_BUCKET:-bitvault-assets}"; do
    store head-bucket --bucket "$bucket" >/dev/null 2>&1 || store create-bucket --bucket "$bucket"
    store put-bucket-cors --bucket "$bucket" --cors-configuration '{"CORSRules": [{
        "AllowedOrigins": ["'"$scheme://$host"'", "'"$scheme://*.$host"'"],
        "AllowedMethods": ["GET", "HEAD", "PUT"],
        "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag", "x-amz-checksum-sha256", "Content-Range"],
        "MaxAgeSeconds": 3600
    }]}'
done

#!/bin/sh
# Make a CA, and a certificate of it for the scheduler, the workers and the client of one Dask
# cluster.
#
#   sh make-certificates.sh FOLDER NAME_OR_ADDRESS...
#
# Each name or address is one by which a host of the cluster is known. The same command again makes
# another certificate of the same CA, for hosts that have come since. Copy cluster.pem, cluster.key
# and ca.pem to every host; keep ca.key to yourself, or delete it: who has it can make a certificate
# that your cluster accepts. At the end it prints what to export on every host before
# `dask scheduler`, `dask worker` and `afterfit`.
set -eu
umask 077

if test "$#" -lt 2; then
    echo "usage: sh make-certificates.sh FOLDER NAME_OR_ADDRESS..." >&2
    exit 2
fi
mkdir -p "$1"
folder=$(cd "$1" && pwd)
shift
days=${DAYS:-825}

names=
for name; do
    case $name in
        *[!0-9.]*:* | *:*) names="$names,IP:$name" ;;  # IPv6
        *[!0-9.]*) names="$names,DNS:$name" ;;
        *) names="$names,IP:$name" ;;
    esac
done

cd "$folder"
if ! test -e ca.key; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -days "$days" \
        -subj "/CN=afterfit Dask CA" -addext "keyUsage=critical,keyCertSign,cRLSign" \
        -keyout ca.key -out ca.pem 2>log
fi
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -subj "/CN=afterfit Dask" \
    -keyout cluster.key -out cluster.csr 2>>log
printf '%s\n' "subjectAltName=${names#,}" "basicConstraints=CA:FALSE" \
    "keyUsage=critical,digitalSignature" "extendedKeyUsage=serverAuth,clientAuth" >extensions
openssl x509 -req -in cluster.csr -CA ca.pem -CAkey ca.key -CAcreateserial -sha256 -days "$days" \
    -extfile extensions -out cluster.pem 2>>log
rm -f cluster.csr extensions log

echo "export DASK_DISTRIBUTED__COMM__TLS__CA_FILE='$folder/ca.pem'"
for role in SCHEDULER WORKER CLIENT; do
    echo "export DASK_DISTRIBUTED__COMM__TLS__${role}__CERT='$folder/cluster.pem'"
    echo "export DASK_DISTRIBUTED__COMM__TLS__${role}__KEY='$folder/cluster.key'"
done

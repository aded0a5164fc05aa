#!/bin/sh
# Writes who may connect, from the environment, where only this container's memory is, and becomes PgBouncer.
set -eu
umask 077
printf '"botgpt" "%s"\n' "$POSTGRES_PASSWORD" >/run/pgbouncer/userlist.txt
exec /usr/sbin/pgbouncer "$(dirname "$0")/pgbouncer.ini"

#!/bin/sh
# Run once by the image of PostgreSQL, on an empty volume: makes the server's user, who owns its database and nothing else.
set -eu

psql --username postgres --dbname postgres --set ON_ERROR_STOP=1 <<SQL
CREATE ROLE mythos LOGIN PASSWORD '$DB_PASSWORD';
CREATE DATABASE mythos OWNER mythos ENCODING 'UTF8' TEMPLATE template0;
SQL

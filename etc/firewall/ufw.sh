#!/bin/sh
# What the world may reach, with ufw: ssh, the web, telnet with and without TLS. All else, and with it /metrics, PostgreSQL and
# the ports behind the front, stays shut.
set -eu

ufw default deny incoming
ufw default allow outgoing
ufw limit 22/tcp comment ssh
ufw allow 80/tcp comment 'web, leads to 443'
ufw allow 443/tcp comment 'web client, WebSocket, event streams'
ufw allow 4000/tcp comment telnet
ufw allow 4443/tcp comment 'telnet over TLS'
# The gateway, for one MUD:
# ufw allow from 192.0.2.10 to any port 8081 proto tcp comment 'gateway'
ufw --force enable

#!/usr/bin/env bash
# sign_up.sh URL: waits for a new Gitea or Forgejo, signs up on it as a browser does, and prints a
# token with which the contracts can be run.
set -euo pipefail
for _ in $(seq 60); do curl -fs "$1/api/v1/version" > /dev/null && break; sleep 1; done
cookies=$(mktemp)
form=$(curl -fs -c "$cookies" "$1/user/sign_up" |
  sed -n 's/.*name="_csrf" value="\([^"]*\)".*/\1/p' | head -1)
curl -fs -b "$cookies" "$1/user/sign_up" -o /dev/null -d _csrf="$form" \
  -d user_name=live -d email=live@example.com -d password=live-password -d retype=live-password
curl -fs -u live:live-password "$1/api/v1/users/live/tokens" -H "Content-Type: application/json" \
  -d '{"name": "live", "scopes": ["write:package", "write:repository", "write:user",
      "write:organization", "read:admin"]}' |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["sha1"])'

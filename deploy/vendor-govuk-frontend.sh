#!/usr/bin/env bash
# Renews the portal's design system, GOV.UK Frontend (MIT licence), in central/assets: VERSION as npm names it.
# Its typeface is licensed for services of the British government only, so that the reader's own takes its place.
set -euo pipefail
version=${1:?usage: deploy/vendor-govuk-frontend.sh VERSION, such as 5.14.0}
assets="$(cd "$(dirname "$0")/../central/assets" && pwd)"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm pack --silent "govuk-frontend@$version" >/dev/null
tar xzf "govuk-frontend-$version.tgz"
sed -E -e 's/@font-face\{[^}]*\}//g' -e 's/GDS Transport,arial,sans-serif/system-ui,"Noto Sans CJK HK","PingFang HK","Microsoft JhengHei",arial,sans-serif/g' \
  -e 's/\/\*# sourceMappingURL=[^*]*\*\///' package/dist/govuk/govuk-frontend.min.css > "$assets/govuk-frontend.css"

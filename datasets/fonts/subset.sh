#!/bin/sh
# Makes the font subsets of this folder; needs fonttools and the Debian packages named in README.md.
set -eu
cd "$(dirname "$0")"
L="ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
B="出境车車慢停巴士貨货右左转轉港澳粤粵道路口前方学學校公司有限集团運输輸中国國香深圳珠海大桥橋线線专用專入禁止高低速消防安全検查海关關通行"
sub() { pyftsubset "$1" --text="$3" --output-file="$2" --no-hinting --desubroutinize --layout-features='' --name-IDs='0,13,14' --notdef-outline --glyph-names ${4:-}; }
R=/usr/share/fonts/truetype/roboto/unhinted
sub $R/RobotoCondensed-Regular.ttf condensed-a-regular.ttf "$L"
sub $R/RobotoCondensed-Bold.ttf condensed-a-bold.ttf "$L"
T=/usr/share/texmf/fonts/opentype/public/tex-gyre
sub $T/texgyreheroscn-regular.otf condensed-b-regular.otf "$L"
sub $T/texgyreheroscn-bold.otf condensed-b-bold.otf "$L"
sub $T/texgyreheros-regular.otf sans-b-regular.otf "$L"
sub /usr/share/fonts/truetype/dejavu/DejaVuSansCondensed-Bold.ttf condensed-c-bold.ttf "$L"
N=/usr/share/fonts/opentype/noto
sub $N/NotoSansCJK-Regular.ttc cjk-regular.otf "$L$B" --font-number=2
sub $N/NotoSansCJK-Bold.ttc cjk-bold.otf "$L$B" --font-number=2
# npm install @fontsource/NAME for each of these; needs brotli beside fonttools.
# They come as woff2; fonttools writes plain TrueType after `t.flavor = None`.
F() { sub "node_modules/@fontsource/$1/files/$1-latin-$2-normal.woff2" "$3" "$L"; python3 -c "import sys; from fontTools.ttLib import TTFont; t = TTFont(sys.argv[1]); t.flavor = None; t.save(sys.argv[1])" "$3"; }
F barlow-condensed 600 signs-a.ttf
F overpass 600 signs-b.ttf
F oswald 500 tall-a.ttf
F antonio 600 tall-b.ttf
F saira-semi-condensed 600 square-a.ttf
F share-tech 400 square-b.ttf
F gidole 400 signs-c.ttf
F sofia-sans-extra-condensed 600 tall-c.ttf

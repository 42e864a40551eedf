#!/bin/sh
# Opens the report of a small run in headless Chromium, 400 and 1280 pixels wide, light and dark, moves its slider and a
# pointer over its curves (in_page.js says what must hold), and asks for a frame by the address. Fails for whatever is
# wrong or written to the console. Exit code 77: there is no Chromium.
#
# usage: tests/report/check_page.sh PROGRAM [FOLDER]     FOLDER: where to leave the report and screenshots of it
set -eu
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
program=$(realpath "$1") here=$(realpath "$(dirname "$0")")
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
  { echo "the report in a browser: skipped, there is no chromium"; exit 77; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
if [ $# -gt 1 ]; then mkdir -p "$2" && folder=$(realpath "$2"); else folder=$scratch/pages; fi
mkdir -p "$folder"
run=$scratch/run

fail() {
  echo "the report in a browser: $1" >&2
  exit 1
}

# browse OPTION... ADDRESS: what the browser prints; it must say nothing on the page's console.
browse() {
  [ "$(id -u)" != 0 ] || set -- --no-sandbox "$@"
  HOME=$scratch timeout 120 "$browser" --headless --disable-gpu --hide-scrollbars --no-first-run \
    --user-data-dir="$scratch/profile" --virtual-time-budget=5000 --enable-logging=stderr --v=0 "$@" 2>"$scratch/log" ||
    fail "$(tail -n 3 "$scratch/log")"
  if grep -F CONSOLE "$scratch/log" >&2; then fail "the console is not empty"; fi
}

# A run with every section: an evaluation, as semidual evaluate writes it, with long words.
train() { "$program" train --out "$run" "$@" >"$scratch/train" 2>&1 || fail "$(cat "$scratch/train")"; }
small='--data digits --points 100 --batch 10 --inner 2 --samples-every 5 --checkpoint-every 10'
# shellcheck disable=SC2086
train $small --iterations 20
cat >"$run/evaluation.json" <<END
{"generated": {"source": "run", "count": 100, "iterations": 20, "seed": 0},
 "reference": {"source": "a_folder_of_held_out_images_with_a_name_that_is_too_long_for_a_line", "count": 100},
 "measures": [{"key": "a", "name": "W2² by exact assignment, in units of the scaled cost", "value": 0.3381,
               "error": 0.0021, "floor": 0.4353, "floor_spread": 0.0031, "ideal": null},
              {"key": "b", "name": "coverage", "value": 0.95, "error": null, "floor": 0.922, "ideal": 0.969}],
 "classes": {"names": ["0", "1", "a class with a name"], "generated": [0.5, 0.1, 0.4], "reference": [0.3, 0.3, 0.4]},
 "note": "Classes are those of the nearest training images."}
END
train --resume --iterations 30
cp "$run/report.html" "$folder"
if grep -oE '(https?:)?//[a-z0-9.-]+\.[a-z]{2,}' "$folder/report.html" >&2; then fail "the page names addresses"; fi

for width in 400 1280; do
  for scheme in light dark; do
    if [ $scheme = dark ]; then dark=true preferred=0; else dark=false preferred=1; fi
    # Windows are at least 500 pixels wide, frames are not.
    window=$((width < 500 ? 500 : width))
    {
      sed '/^<\/body>$/,$d' "$folder/report.html"
      echo "<script>const WIDTH = $width, DARK = $dark;"
      cat "$here/in_page.js"
      echo '</script></body></html>'
    } >"$scratch/checked.html"
    frame() {
      echo "<!DOCTYPE html><body style='margin:0'><iframe src='$1' style='border:0;width:${width}px;height:${2}px'></iframe>"
      echo "<pre id='found'></pre><script>onmessage = message => found.textContent = message.data</script>"
    }
    frame checked.html 900 >"$scratch/frame.html"
    browse --blink-settings=preferredColorScheme="$preferred" --window-size=$window,900 --dump-dom \
      "file://$scratch/frame.html" >"$scratch/dom"
    found=$(tr '\n' ';' <"$scratch/dom" | sed 's/.*<pre id="found">//; s/<\/pre>.*//')
    [ "$found" = fine ] || fail "$width pixels, $scheme: ${found:-the page says nothing}"
    if [ $# -gt 1 ]; then
      frame "$folder/report.html" 5000 >"$scratch/frame.html"
      browse --blink-settings=preferredColorScheme="$preferred" --window-size=$window,5000 \
        --screenshot="$folder/$width-$scheme.png" "file://$scratch/frame.html"
    fi
  done
done

# Lines of sample grids look like: data-when="after 5 iterations" hidden="">
browse --dump-dom "file://$folder/report.html#frame=3" >"$scratch/dom"
shown=$(grep -o 'data-when="[^>]*>' "$scratch/dom" | grep -n -v hidden) || true
[ "$shown" = '4:data-when="after 20 iterations">' ] || fail "#frame=3 shows $shown"
for frame in 3 5; do
  browse --window-size=1280,1600 --screenshot="$scratch/$frame.png" "file://$folder/report.html#frame=$frame"
  [ -s "$scratch/$frame.png" ] || fail "there is no screenshot"
done
if cmp -s "$scratch/3.png" "$scratch/5.png"; then fail "#frame=3 looks like #frame=5"; fi
echo "the report in a browser: fine"

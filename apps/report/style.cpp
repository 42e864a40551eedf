#include "apps/report/page.h"

namespace apps::report {

const char* const style = R"(
:root {
  --paper: #faf9f7; --card: #ffffff; --ink: #22262b; --soft: #5b626b; --line: #e3e1dc;
  --accent: #20688a; --band: #20688a2e; --other: #a8a294; --well: #f1efeb;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15171a; --card: #1c1f23; --ink: #e7e5e1; --soft: #a3a9b1; --line: #31353b;
    --accent: #79b8d6; --band: #79b8d638; --other: #757a80; --well: #24282d;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif;
}
main { max-width: 1120px; margin: 0 auto; padding: 40px 32px 64px; display: grid; gap: 24px; }
main > * { min-width: 0; }
h1 { font-size: 30px; line-height: 1.2; font-weight: 600; letter-spacing: -.01em; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 18px; line-height: 1.3; font-weight: 600; margin: 0; }
p { margin: 0; overflow-wrap: anywhere; }
code { font: .92em ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.eyebrow { color: var(--accent); font-size: 13px; font-weight: 600; margin-bottom: 4px; }
.lead { font-size: 18px; color: var(--soft); margin-top: 8px; max-width: 44em; }
.columns { columns: 2; column-gap: 24px; }
.columns section { break-inside: avoid; }
.columns section + section { margin-top: 24px; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 24px; }
.line { color: var(--soft); font-size: 15px; margin: 4px 0 20px; max-width: 48em; }
.missing, .note { color: var(--soft); font-size: 14px; }
.note { margin-top: 16px; max-width: 60em; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(220px, 1fr)); gap: 16px 24px; margin: 0 0 20px; }
dt { color: var(--soft); font-size: 13px; }
dd { margin: 0; overflow-wrap: anywhere; }
.given { display: flex; flex-wrap: wrap; gap: 8px; list-style: none; margin: 8px 0 20px; padding: 0; }
.given li { background: var(--well); border-radius: 6px; padding: 3px 10px; }
summary { cursor: pointer; color: var(--accent); width: fit-content; }
summary:focus-visible, .scroll:focus-visible, input:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; }
details .scroll { margin-top: 12px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 15px; }
th, td { text-align: left; padding: 7px 16px 7px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
thead th { color: var(--soft); font-weight: 500; font-size: 13px; }
tbody th { font-weight: 400; }
tbody tr:last-child > * { border-bottom: 0; }
th.figure, td.figure { text-align: right; white-space: nowrap; }
td.figure span { color: var(--soft); white-space: nowrap; }
th:last-child, td:last-child { padding-right: 0; }
figure { margin: 0; }
img { display: block; max-width: 100%; height: auto; image-rendering: pixelated; border-radius: 4px; background: #000; }
img[hidden], [hidden] { display: none; }
.frames img { width: 100%; }
.points img { image-rendering: auto; }
.frames figcaption { color: var(--soft); font-size: 14px; margin-top: 12px; }
input[type=range] { width: 100%; margin: 16px 0 0; accent-color: var(--accent); }
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(72px, 1fr)); gap: 16px 12px; list-style: none; margin: 0; padding: 0; }
.pairs li { font-size: 12px; color: var(--soft); text-align: center; font-variant-numeric: tabular-nums; }
.pairs img { width: 100%; margin-bottom: 4px; }
.walk { width: 100%; }
.plot figcaption { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 16px; font-size: 13px; color: var(--soft); margin-bottom: 12px; }
.plot output { color: var(--ink); font-variant-numeric: tabular-nums; }
.area { position: relative; height: 200px; margin: 0 10px 44px 48px; touch-action: pan-y; cursor: crosshair; }
.area svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible; }
.area path, .area line { vector-effect: non-scaling-stroke; fill: none; }
.area .rule { stroke: var(--line); stroke-width: 1px; }
.area .curve { stroke: var(--accent); stroke-width: 1.75px; stroke-linejoin: round; stroke-linecap: round; }
.area .band { fill: var(--band); }
.tick { position: absolute; color: var(--soft); font-size: 12px; line-height: 16px; white-space: nowrap; font-variant-numeric: tabular-nums; }
.tick.x { top: calc(100% + 6px); transform: translateX(-50%); }
.tick.y { right: calc(100% + 8px); transform: translateY(-50%); }
.across { position: absolute; top: calc(100% + 26px); right: 0; left: 0; text-align: center; color: var(--soft); font-size: 13px; line-height: 18px; }
.cursor { position: absolute; top: 0; bottom: 0; width: 1px; background: var(--soft); }
.dot { position: absolute; width: 8px; height: 8px; margin: -4px; border-radius: 50%; background: var(--accent); box-shadow: 0 0 0 2px var(--card); }
.shares td.bars { width: 60%; min-width: 120px; padding-top: 10px; }
.shares svg { display: block; width: 100%; height: 18px; }
.shares tbody th { white-space: nowrap; }
.shares th, .shares td { padding-top: 4px; padding-bottom: 4px; }
.generated { fill: var(--accent); }
.reference { fill: var(--other); }
.key { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 6px; }
.key.generated { background: var(--accent); }
.key.reference { background: var(--other); }
footer { color: var(--soft); font-size: 13px; }
@media (max-width: 900px) { .columns { columns: 1; } }
@media (max-width: 600px) {
  main { padding: 24px 12px 40px; gap: 16px; }
  .columns section + section { margin-top: 16px; }
  section { padding: 18px 14px; }
  h1 { font-size: 25px; }
  .lead { font-size: 16px; }
  dl { grid-template-columns: 1fr 1fr; gap: 12px 16px; }
  table { font-size: 14px; }
  td.figure { white-space: normal; }
  th, td { padding-right: 10px; }
}
@media print { section { break-inside: avoid; } }
)";

}  // namespace apps::report

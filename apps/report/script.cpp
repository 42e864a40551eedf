#include "apps/report/page.h"

namespace apps::report {

// What moves: the slider through the sample grids, also by #frame=7 in the address, and the values under the pointer.
const char* const script = R"(
const slider = document.querySelector('.frames input');
if (slider) {
  const frames = [...document.querySelectorAll('.frames img')];
  const show = index => {
    frames.forEach((frame, i) => frame.hidden = i !== index);
    slider.value = index;
    slider.setAttribute('aria-valuetext', frames[index].dataset.when);
    document.querySelector('.frames output').textContent = frames[index].dataset.when;
  };
  const asked = () => {
    const index = /^#frame=(\d+)$/.exec(location.hash);
    if (index) show(Math.min(Number(index[1]), frames.length - 1));
  };
  slider.hidden = frames.length < 2;
  slider.addEventListener('input', () => show(Number(slider.value)));
  addEventListener('hashchange', asked);
  asked();
}
for (const plot of document.querySelectorAll('.plot')) {
  const [first, last, mean, low, high, range] = ['first', 'last', 'mean', 'low', 'high', 'range'].map(
    name => plot.dataset[name].split(' ').map(Number));
  const [left, right, bottom, top] = range;
  const area = plot.querySelector('.area'), cursor = plot.querySelector('.cursor');
  const dot = plot.querySelector('.dot'), output = plot.querySelector('output');
  const across = first.map((from, i) => ((from + last[i]) / 2 - left) / (right - left));
  const shown = value => String(Number(value.toPrecision(4)));
  const point = (i, hover) => {
    cursor.hidden = !hover;
    cursor.style.left = dot.style.left = 100 * across[i] + '%';
    dot.style.bottom = 100 * (mean[i] - bottom) / (top - bottom) + '%';
    output.textContent = first[i] < last[i]
      ? `iterations ${first[i]} to ${last[i]}: mean ${shown(mean[i])}, ${shown(low[i])} to ${shown(high[i])}`
      : `iteration ${first[i]}: ${shown(mean[i])}`;
  };
  area.addEventListener('pointermove', event => {
    const box = area.getBoundingClientRect(), wanted = (event.clientX - box.left) / box.width;
    let nearest = 0;
    across.forEach((x, i) => { if (Math.abs(x - wanted) < Math.abs(across[nearest] - wanted)) nearest = i; });
    point(nearest, true);
  });
  area.addEventListener('pointerleave', () => point(across.length - 1, false));
}
)";

}  // namespace apps::report

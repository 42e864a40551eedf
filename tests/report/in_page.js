// Runs within a report, in a frame of a page that gathers what it finds: WIDTH and DARK are what was asked of the
// browser. Posts 'fine', or what is wrong, one complaint a line.
addEventListener('load', () => {
  const problems = [];
  const need = (holds, complaint) => holds || problems.push(complaint);

  const root = document.documentElement;
  need(innerWidth === WIDTH, `the window is ${innerWidth} wide, not ${WIDTH}`);
  need(root.scrollWidth <= innerWidth, `the page scrolls sideways: it is ${root.scrollWidth} wide in ${innerWidth}`);
  need(matchMedia('(prefers-color-scheme: dark)').matches === DARK, `the browser does not prefer ${DARK ? 'dark' : 'light'}`);

  const colour = text => text.match(/[\d.]+/g).map(Number);
  const luminance = text => {
    const [r, g, b] = colour(text).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = element => {
    for (; element; element = element.parentElement) {
      const own = getComputedStyle(element).backgroundColor;
      if (colour(own)[3] !== 0) return own;
    }
  };
  need((luminance(background(document.body)) < 0.2) === DARK, `the page is not ${DARK ? 'dark' : 'light'}`);
  const words = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
  while (words.nextNode()) {
    const text = words.currentNode.data.trim(), element = words.currentNode.parentElement, style = getComputedStyle(element);
    if (!text || element.checkVisibility?.() === false) continue;
    const [low, high] = [luminance(style.color), luminance(background(element))].sort((a, b) => a - b);
    need((high + 0.05) / (low + 0.05) >= 4.5, `'${text}' has too little contrast: ${style.color} on ${background(element)}`);
    need(parseFloat(style.fontSize) >= 12, `'${text}' is small: ${style.fontSize}`);
  }

  for (const image of document.images) {
    need(image.naturalWidth > 0, `a picture can't be decoded: ${image.alt}`);
    need(image.alt, 'a picture has no text');
  }
  const ids = [...document.querySelectorAll('[id]')].map(element => element.id);
  need(new Set(ids).size === ids.length, 'an id is given twice');
  for (const id of ['run', 'samples', 'walk', 'curve-1', 'curve-2', 'measures', 'classes', 'neighbours'])
    need(ids.includes(id), `section ${id} is missing`);

  const shown = () => [...document.querySelectorAll('.frames img')].flatMap((frame, i) => frame.hidden ? [] : [i]).join();
  const slider = document.querySelector('.frames input');
  need(!slider.hidden && slider.offsetWidth > 100, 'the slider is not to be seen');
  need(shown() === slider.max, `at first frame ${shown()} is shown`);
  slider.value = 1;
  slider.dispatchEvent(new Event('input'));
  need(shown() === '1', `with the slider at 1 frame ${shown()} is shown`);
  need(document.querySelector('.frames output').textContent === 'after 10 iterations', 'the slider says nothing');
  location.hash = '#frame=2';
  setTimeout(() => {
    need(shown() === '2' && slider.value === '2', `at #frame=2 frame ${shown()} is shown`);

    for (const plot of document.querySelectorAll('.plot')) {
      const area = plot.querySelector('.area'), output = plot.querySelector('output');
      const box = area.getBoundingClientRect(), before = output.textContent;
      area.dispatchEvent(new PointerEvent('pointermove', {clientX: box.left + box.width / 2, clientY: box.top + 9}));
      const middle = plot.dataset.first.split(' ').length >> 1;
      need(/^iteration \d+: [\d.]+$/.test(output.textContent) &&
           Math.abs(parseInt(output.textContent.slice(10)) - middle) <= 1, `the pointer shows: ${output.textContent}`);
      need(!plot.querySelector('.cursor').hidden, 'the pointer has no line');
      area.dispatchEvent(new PointerEvent('pointerleave'));
      need(output.textContent === before, `after the pointer the page and the script say: ${before}, ${output.textContent}`);
    }
    parent.postMessage(problems.join('\n') || 'fine', '*');
  });
});

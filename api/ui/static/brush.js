// Lets a reader drag over a chart to choose a span of time. The dates can be
// typed into a form as well, and the chart has a table.
(() => {
  'use strict';
  const brushes = (figure) => {
    const drawing = figure.querySelector('svg');
    const bars = figure.dataset.brush && JSON.parse(figure.dataset.bars);
    if (!drawing || !bars || bars.length < 2) return;
    const choice = document.createElement('div');
    choice.className = 'brush';
    choice.hidden = true;
    const said = document.createElement('p');
    said.className = 'brushed';
    const stage = document.createElement('div');
    stage.className = 'stage';
    drawing.replaceWith(stage);
    stage.append(drawing, choice, said);
    const at = (event) => {
      const box = drawing.getBoundingClientRect();
      return Math.min(bars.length - 1, Math.max(0, Math.floor((event.clientX - box.left) / box.width * bars.length)));
    };
    let from = -1, to = -1;
    const draw = () => {
      const [a, b] = [Math.min(from, to), Math.max(from, to)];
      choice.hidden = false;
      choice.style.left = a / bars.length * 100 + '%';
      choice.style.width = (b - a + 1) / bars.length * 100 + '%';
      said.textContent = bars[a][0] + ' – ' + bars[b][1];
    };
    stage.addEventListener('pointerdown', (event) => {
      if (event.button !== 0 || event.pointerType === 'touch') return; // fingers scroll
      from = to = at(event);
      stage.setPointerCapture(event.pointerId);
      event.preventDefault();
      draw();
    });
    stage.addEventListener('pointermove', (event) => {
      const i = at(event);
      if (from < 0) {
        said.textContent = (bars[i][0] === bars[i][1] ? bars[i][0] : bars[i][0] + ' – ' + bars[i][1]) + ': ' + bars[i][2];
        return;
      }
      to = i;
      draw();
    });
    stage.addEventListener('pointerleave', () => { if (from < 0) said.textContent = ''; });
    const stop = () => { from = to = -1; choice.hidden = true; said.textContent = ''; };
    stage.addEventListener('pointercancel', stop);
    stage.addEventListener('pointerup', () => {
      if (from < 0) return;
      const [a, b] = [Math.min(from, to), Math.max(from, to)];
      const target = new URL(figure.dataset.brush, location.origin);
      target.searchParams.set('from', bars[a][0]);
      target.searchParams.set('to', bars[b][1]);
      stop();
      location.assign(target);
    });
  };
  document.querySelectorAll('figure[data-brush]').forEach(brushes);
})();

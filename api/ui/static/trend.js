// Draws a comparison so that it can be read off at the pointer and zoomed by
// dragging. The drawing it replaces and the table below say the same.
(() => {
  'use strict';
  const figure = document.querySelector('figure[data-series]');
  if (!figure || !window.uPlot) return;
  const given = JSON.parse(figure.dataset.series);
  const drawing = figure.querySelector('svg');
  const stage = document.createElement('div');
  stage.className = 'plot';
  stage.setAttribute('role', 'img');
  stage.setAttribute('aria-label', drawing.getAttribute('aria-label'));
  drawing.replaceWith(stage);
  const times = given.days.map((day) => Date.parse(day + 'T00:00:00Z') / 1000);
  let plot = null;
  const draw = () => {
    plot?.destroy();
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const axis = { stroke: colour('--soft'), grid: { stroke: colour('--line'), width: 1 }, ticks: { stroke: colour('--line'), width: 1 }, font: '12px sans-serif' };
    plot = new window.uPlot({
      width: stage.clientWidth || 600, height: 260, tzDate: (t) => window.uPlot.tzDate(new Date(t * 1000), 'Etc/UTC'),
      scales: { y: { range: (u, low, high) => [0, Math.max(1, high)] } },
      axes: [{ ...axis, values: (u, all) => all.map((t) => new Date(t * 1000).toISOString().slice(5, 10)) }, { ...axis, size: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000] }],
      series: [{ label: figure.dataset.day, value: (u, t) => t == null ? '' : new Date(t * 1000).toISOString().slice(0, 10) },
        ...given.lines.map((line, i) => ({ label: line.label, stroke: colour('--line-' + i), width: 2, points: { show: times.length < 40, size: 5 } }))],
    }, [times, ...given.lines.map((line) => line.counts)], stage);
  };
  draw();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  new ResizeObserver(() => { if (stage.clientWidth && plot.width !== stage.clientWidth) plot.setSize({ width: stage.clientWidth, height: 260 }); }).observe(stage);
})();

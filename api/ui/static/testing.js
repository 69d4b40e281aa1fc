// Shows how far the test of a rule is, if it takes its time.
(() => {
  'use strict';
  const form = document.querySelector('.rule-form');
  const shown = document.getElementById('testing');
  if (!form || !shown) return;
  let timer;
  const end = () => {
    clearInterval(timer);
    shown.replaceChildren();
  };
  form.addEventListener('htmx:beforeRequest', () => {
    end();
    timer = setInterval(() => htmx.ajax('GET', '/pipeline', {target: shown, select: '#work > *', swap: 'innerHTML'}), 1000);
  });
  form.addEventListener('htmx:afterRequest', end);
})();

// Shows the first articles when they are there: until then the page looks again
// every few seconds.
(() => {
  'use strict';
  const waiting = document.querySelector('[data-arriving]');
  waiting?.addEventListener('htmx:afterRequest', (event) => {
    const answer = event.detail.xhr?.responseText || '';
    if (event.detail.successful && !answer.includes('data-arriving')) location.reload();
    else if (event.detail.successful) {
      const page = new DOMParser().parseFromString(answer, 'text/html');
      for (const part of ['[role=status]', '[data-work]']) {
        const next = page.querySelector('[data-arriving] ' + part);
        const shown = waiting.querySelector(part);
        if (next && shown && next.innerHTML !== shown.innerHTML) shown.replaceChildren(...next.childNodes);
      }
    }
  });
})();

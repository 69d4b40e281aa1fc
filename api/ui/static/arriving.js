// Shows the first articles when they are there: until then the page looks again
// every few seconds.
(() => {
  'use strict';
  const waiting = document.querySelector('[data-arriving]');
  waiting?.addEventListener('htmx:afterRequest', (event) => {
    const answer = event.detail.xhr?.responseText || '';
    if (event.detail.successful && !answer.includes('data-arriving')) location.reload();
    else if (event.detail.successful) {
      const status = new DOMParser().parseFromString(answer, 'text/html').querySelector('[data-arriving] [role=status]');
      const shown = waiting.querySelector('[role=status]');
      if (status && shown && status.textContent !== shown.textContent) shown.textContent = status.textContent;
    }
  });
})();

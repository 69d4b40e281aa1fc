// Shows the card of an entity beside its mention, when the pointer rests on it or
// the keyboard comes to it. The mention is a link to the page of the entity, which
// has all of it and more. Escape takes the card away.
(() => {
  'use strict';
  const card = document.getElementById('card');
  if (!card || !window.htmx) return;
  let timer = 0, of = null;

  function hide() {
    clearTimeout(timer);
    of?.removeAttribute('aria-describedby');
    of = null;
    card.hidden = true;
  }

  function place(link) {
    const box = link.getClientRects()[0] || link.getBoundingClientRect();
    card.hidden = false;
    const width = card.offsetWidth, height = card.offsetHeight, gap = 6;
    const below = box.bottom + gap + height <= innerHeight || box.top < height + gap;
    card.style.left = Math.max(8, Math.min(box.left, document.documentElement.clientWidth - width - 8)) + scrollX + 'px';
    card.style.top = (below ? box.bottom + gap : box.top - gap - height) + scrollY + 'px';
  }

  function show(link, delay) {
    clearTimeout(timer);
    if (of === link) return;
    timer = setTimeout(async () => {
      of?.removeAttribute('aria-describedby');
      of = link;
      await window.htmx.ajax('GET', link.getAttribute('href') + '/card', { target: card, swap: 'innerHTML' });
      if (of !== link) return;
      link.setAttribute('aria-describedby', 'card');
      place(link);
    }, delay);
  }

  function later() {
    clearTimeout(timer);
    timer = setTimeout(hide, 250);
  }

  for (const link of document.querySelectorAll('a.mention')) {
    link.addEventListener('pointerenter', (event) => { if (event.pointerType !== 'touch') show(link, 300); });
    link.addEventListener('pointerleave', later);
    link.addEventListener('focus', () => show(link, 150));
    link.addEventListener('blur', later);
  }
  card.addEventListener('pointerenter', () => clearTimeout(timer));
  card.addEventListener('pointerleave', later);
  document.addEventListener('keydown', (event) => { if (event.key === 'Escape') hide(); });
})();

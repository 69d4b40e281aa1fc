// Keys for readers: / asks, j and k go through the list, o opens, ? helps. They
// act only where nothing is being typed, and can be turned off on the help page.
(() => {
  'use strict';
  const off = 'xinwen-keys-off';
  const stored = () => { try { return localStorage.getItem(off) === '1'; } catch { return false; } };
  const toggle = document.querySelector('input[data-keys]');
  if (toggle) {
    toggle.checked = !stored();
    toggle.disabled = false;
    toggle.addEventListener('change', () => { try { toggle.checked ? localStorage.removeItem(off) : localStorage.setItem(off, '1'); } catch { /* kept nowhere */ } });
  }
  const links = () => [...document.querySelectorAll('[data-list] h2 a, [data-list] tbody th a:first-child')];
  const step = (by) => {
    const all = links();
    if (!all.length) return;
    const i = all.indexOf(document.activeElement);
    all[i < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, i + by))].focus();
  };
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.isComposing || stored()) return;
    if (event.target.closest('input, textarea, select, [contenteditable]')) return;
    switch (event.key) {
      case '/': document.getElementById('q')?.focus(); break;
      case 'j': step(1); break;
      case 'k': step(-1); break;
      case 'o': if (links().includes(document.activeElement)) document.activeElement.click(); break;
      case 'e': document.activeElement?.closest('article, tr')?.querySelector('a.original')?.click(); break;
      case '?': location.assign('/help'); break;
      default: return;
    }
    event.preventDefault();
  });
})();

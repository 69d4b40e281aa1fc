// Completes queries while they are typed: a listbox below the field, as the
// combobox pattern of ARIA has it. Without this script the field is a field.
(() => {
  'use strict';
  const separators = /[\s()（）]/;

  // token is the word that ends at the cursor, or null in an open phrase.
  function token(input) {
    const end = input.selectionStart;
    const before = input.value.slice(0, end);
    let start = end;
    while (start > 0 && !separators.test(before[start - 1])) start--;
    const text = before.slice(start);
    const quotes = before.slice(0, start).split('"').length - 1;
    if (quotes % 2 === 1 || text.startsWith('"') || /^(AND|OR|NOT|NEAR.*)$/.test(text)) return null;
    return { start, end, text };
  }

  function attach(input, n) {
    const list = document.createElement('ul');
    list.id = 'suggestions-' + n;
    list.className = 'suggestions';
    list.setAttribute('role', 'listbox');
    list.setAttribute('aria-label', input.dataset.suggest);
    list.hidden = true;
    const said = document.createElement('span');
    said.className = 'unseen';
    said.setAttribute('role', 'status');
    input.after(list, said);
    for (const [name, value] of Object.entries({ role: 'combobox', 'aria-autocomplete': 'list', 'aria-expanded': 'false', 'aria-controls': list.id, 'aria-haspopup': 'listbox' })) {
      input.setAttribute(name, value);
    }
    let active = -1, asked = null, timer = 0, current = null;
    let taken = false; // Enter has chosen, and must not send the form as well

    function close() {
      clearTimeout(timer);
      asked?.abort();
      list.hidden = true;
      list.replaceChildren();
      active = -1;
      input.setAttribute('aria-expanded', 'false');
      input.removeAttribute('aria-activedescendant');
    }

    function choose(i) {
      list.children[active]?.setAttribute('aria-selected', 'false');
      active = i;
      const option = list.children[i];
      if (!option) {
        input.removeAttribute('aria-activedescendant');
        return;
      }
      option.setAttribute('aria-selected', 'true');
      option.scrollIntoView({ block: 'nearest' });
      input.setAttribute('aria-activedescendant', option.id);
    }

    function insert(option) {
      const end = option.dataset.insert.endsWith(':') ? '' : ' ';
      const text = option.dataset.insert + end;
      const rest = input.value.slice(current.end).replace(/^ /, '');
      input.value = input.value.slice(0, current.start) + text + rest;
      input.setSelectionRange(current.start + text.length, current.start + text.length);
      close();
      input.focus();
      if (!end) ask();
    }

    function show(found) {
      list.replaceChildren(...found.map((c, i) => {
        const option = document.createElement('li');
        option.id = list.id + '-' + i;
        option.setAttribute('role', 'option');
        option.setAttribute('aria-selected', 'false');
        option.dataset.insert = c.insert;
        const label = document.createElement('span');
        label.className = 'label' + (/^[a-z]+$/.test(c.kind || '') ? ' kind-' + c.kind : '');
        label.textContent = c.label;
        const note = document.createElement('span');
        note.className = 'about';
        note.textContent = c.note || '';
        option.append(label, ' ', note);
        return option;
      }));
      active = -1;
      list.hidden = found.length === 0;
      input.setAttribute('aria-expanded', String(found.length > 0));
      input.removeAttribute('aria-activedescendant');
      said.textContent = found.length ? input.dataset.found.replace('%d', found.length) : '';
    }

    async function ask() {
      current = token(input);
      if (!current || !current.text) return close();
      asked?.abort();
      asked = new AbortController();
      try {
        const answer = await fetch('/suggest?q=' + encodeURIComponent(current.text), { signal: asked.signal, headers: { Accept: 'application/json' } });
        if (!answer.ok) return close();
        const found = await answer.json();
        if (document.activeElement === input) show(found);
      } catch (error) {
        if (error.name !== 'AbortError') close();
      }
    }

    input.addEventListener('input', (event) => {
      clearTimeout(timer);
      if (!event.isComposing) timer = setTimeout(ask, 120);
    });
    input.addEventListener('compositionend', () => { timer = setTimeout(ask, 120); });
    input.addEventListener('keypress', (event) => { if (taken && event.key === 'Enter') event.preventDefault(); });
    input.addEventListener('keyup', () => { taken = false; });
    input.addEventListener('blur', close);
    list.addEventListener('mousedown', (event) => {
      event.preventDefault(); // the field keeps the focus
      const option = event.target.closest('[role=option]');
      if (option) insert(option);
    });
    input.addEventListener('keydown', (event) => {
      if (event.isComposing || list.hidden) {
        if (event.key === 'ArrowDown' && event.altKey) ask();
        return;
      }
      const n = list.children.length;
      switch (event.key) {
        case 'ArrowDown': choose(active + 1 >= n ? 0 : active + 1); break;
        case 'ArrowUp': choose(active <= 0 ? n - 1 : active - 1); break;
        case 'Enter':
          if (active < 0) return close();
          taken = true;
          insert(list.children[active]);
          break;
        case 'Escape': close(); break;
        case 'Tab': return close();
        default: return;
      }
      event.preventDefault();
    });
  }

  document.querySelectorAll('input[data-suggest]').forEach(attach);
})();

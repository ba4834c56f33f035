// Brings a page up to date that waits for something, without losing the reader's place: only what has changed is
// replaced, and nothing while somebody types. Without a script the browser loads the page again by itself.
(function () {
  "use strict";

  function seconds(page) {
    var told = page.querySelector('meta[name="lontar-refresh"]');
    return told ? Number(told.content) : 0;
  }

  function isTyping() {
    var at = document.activeElement;
    return Boolean(at) && /^(INPUT|SELECT|TEXTAREA)$/.test(at.tagName);
  }

  // Each answer carries another token in its forms; that is no change.
  function content(main) {
    return main.innerHTML.replace(/name="csrf_token" value="[^"]*"/g, "");
  }

  function show(fresh) {
    var here = document.querySelector("main"), there = fresh.querySelector("main");
    if (!there || content(there) === content(here)) return;
    var hadFocus = here.contains(document.activeElement);
    here.innerHTML = there.innerHTML;
    document.title = fresh.title;
    if (hadFocus) here.focus();
  }

  function look() {
    fetch(location.href, { credentials: "same-origin" }).then(function (answer) {
      if (answer.redirected) { location.replace(answer.url); return; }
      return answer.text().then(function (text) {
        var fresh = new DOMParser().parseFromString(text, "text/html");
        if (isTyping()) { later(seconds(document)); return; }
        show(fresh);
        later(seconds(fresh));
      });
    }).catch(function () { later(10); });
  }

  function later(wait) {
    if (wait) setTimeout(look, wait * 1000);
  }

  later(seconds(document));
})();

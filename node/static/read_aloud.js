// Reads a lesson aloud with the browser's own voice, where it has an Indonesian one. Without it no button is shown.
(function () {
  "use strict";
  var box = document.querySelector("[data-read]");
  var text = document.querySelector("article.reading");
  if (!box || !text || !window.speechSynthesis) return;
  var language = text.lang || document.documentElement.lang || "id";
  var button = null, parts = [], at = 0;

  function voice() {
    return speechSynthesis.getVoices().filter(function (one) {
      return one.lang.replace("_", "-").toLowerCase().split("-")[0] === language && one.localService;
    })[0];
  }

  // Long texts are cut off by some voices: a paragraph at a time.
  function collect() {
    parts = [];
    text.querySelectorAll("h2, h3, h4, p, li, td, th, figcaption, img").forEach(function (one) {
      var said = one.tagName === "IMG" ? one.alt : one.querySelector("p, li") ? "" : one.textContent;
      if (said && said.trim()) parts.push(said.trim());
    });
  }

  function next() {
    if (at >= parts.length) { stop(); return; }
    var said = new SpeechSynthesisUtterance(parts[at++]);
    said.voice = voice();
    said.lang = said.voice.lang;
    said.onend = function () { if (button.dataset.on) next(); };
    speechSynthesis.speak(said);
  }

  function stop() {
    delete button.dataset.on;
    speechSynthesis.cancel();
    button.textContent = box.dataset.read;
  }

  function show() {
    if (button || !voice()) return;
    button = document.createElement("button");
    button.type = "button";
    button.className = "button second";
    button.textContent = box.dataset.read;
    button.addEventListener("click", function () {
      if (button.dataset.on) { stop(); return; }
      button.dataset.on = "1";
      button.textContent = box.dataset.stop;
      collect();
      at = 0;
      next();
    });
    box.appendChild(button);
  }

  show();
  speechSynthesis.onvoiceschanged = show;
  window.addEventListener("pagehide", function () { speechSynthesis.cancel(); });
})();

// The line above an activity: what is saved, and the score. Only what the laptop says it has on its disk.
"use strict";
var lontar = (function () {
  var told = JSON.parse(document.getElementById("data").textContent);
  var line = document.getElementById("garis");

  function say(state) {
    var parts = [told.texts.saved];
    if (state.completed) parts.push(told.texts.done);
    if (state.score !== null && state.score !== undefined) {
      parts.push(told.texts.score + " " + String(Math.round(state.score) / 100).replace(".", ","));
    }
    line.className = "";
    line.textContent = parts.join(" · ");
  }

  function fail() {
    line.className = "bad";
    line.textContent = told.texts.failed;
  }

  function ask() {
    fetch("keadaan").then(function (answer) { return answer.ok ? answer.json() : Promise.reject(); }).then(say, fail);
  }

  if (told.completed || told.score !== null) say(told);
  return { told: told, say: say, fail: fail, ask: ask };
})();

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
    if (state.over) parts.push(told.texts.over);
    line.className = state.over ? "bad" : "";
    line.textContent = parts.join(" · ");
  }

  function fail() {
    line.className = "bad";
    line.textContent = told.texts.failed;
  }

  function ask() {
    fetch("keadaan").then(function (answer) { return answer.ok ? answer.json() : Promise.reject(); }).then(say, fail);
  }

  function removed(name) {
    return new Promise(function (done) {
      var asked = indexedDB.deleteDatabase(name);
      asked.onsuccess = asked.onerror = asked.onblocked = done;
    });
  }

  // All activities of this laptop share what the browser keeps for this address: each learner begins with nothing.
  function cleared() {
    try {
      if (localStorage.getItem("lontar") === told.play) return Promise.resolve();
      localStorage.clear();
      sessionStorage.clear();
      localStorage.setItem("lontar", told.play);
    } catch (e) { /* A browser that keeps nothing has nothing to forget. */ }
    var found = window.indexedDB && indexedDB.databases ? indexedDB.databases() : Promise.resolve([]);
    var forgotten = found.then(function (all) { return Promise.all(all.map(function (one) { return removed(one.name); })); });
    var late = new Promise(function (done) { setTimeout(done, 2000); });
    return Promise.race([forgotten, late]).catch(function () {});
  }

  if (told.completed || told.score !== null) say(told);
  return { told: told, say: say, fail: fail, ask: ask, ready: cleared() };
})();

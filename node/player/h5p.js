// H5P: its statements (xAPI) and the state that it wants kept go to the laptop. What didn't arrive is sent again.
"use strict";
(function () {
  var ID = "lontar", WAITING_MOST = 200, BEACON_MOST = 60000;
  var waiting = [], busy = false, sent = null;

  function state() {
    var content = window.H5PIntegration && window.H5PIntegration.contents && window.H5PIntegration.contents["cid-" + ID];
    var kept = content && content.contentUserData && content.contentUserData[0] && content.contentUserData[0].state;
    return typeof kept === "string" && kept !== "RESET" ? kept : null;
  }

  function post(told) {
    var body = JSON.stringify(told);
    // Browsers refuse to send more than this while a page closes.
    return fetch("hasil/h5p", { method: "POST", body: body, keepalive: body.length < BEACON_MOST });
  }

  function news() {
    var now = state();
    return waiting.length ? waiting[0] : now !== sent && now !== null ? { state: now } : null;
  }

  function next() {
    var told = news();
    if (busy || told === null) return;
    busy = true;
    post(told).then(function (answer) {
      // What the laptop can't take it will never take.
      if (answer.ok || answer.status === 422 || answer.status === 413) {
        if (told === waiting[0]) waiting.shift(); else sent = told.state;
      }
      return answer.ok ? answer.json() : Promise.reject();
    }).then(function (kept) { lontar.say(kept); busy = false; next(); }, function () { lontar.fail(); busy = false; });
  }

  function start() {
    return new H5PStandalone.H5P(document.getElementById("isi"), {
      id: ID,
      h5pJsonPath: lontar.told.content,
      frameJs: new URL("pemutar/h5p-standalone/frame.bundle.js", location.href).pathname,
      frameCss: new URL("pemutar/h5p-standalone/styles/h5p.css", location.href).pathname,
      icon: false,
      saveFreq: 10,
      reportingIsEnabled: true,
      contentUserData: lontar.told.state ? [{ dataType: "state", previousState: lontar.told.state, subContentId: "0" }] : undefined,
    });
  }

  lontar.ready.then(start).then(function () {
    H5P.externalDispatcher.on("xAPI", function (event) {
      var statement = event.data.statement;
      var above = statement.context && statement.context.contextActivities && statement.context.contextActivities.parent;
      waiting.push({ statement: statement, is_child: Boolean(above && above.length) });
      if (waiting.length > WAITING_MOST) waiting.shift();
      next();
    });
    setInterval(next, 5000);
    window.addEventListener("pagehide", function () {
      var now = state();
      waiting.forEach(post);
      if (now !== sent && now !== null) post({ state: now });
    });
  }).catch(lontar.fail);
})();

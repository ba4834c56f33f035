// H5P: its statements (xAPI) and the state that it wants kept go to the laptop.
"use strict";
(function () {
  var ID = "lontar", sent = null;

  function state() {
    var content = window.H5PIntegration && window.H5PIntegration.contents && window.H5PIntegration.contents["cid-" + ID];
    var kept = content && content.contentUserData && content.contentUserData[0] && content.contentUserData[0].state;
    return typeof kept === "string" && kept !== "RESET" ? kept : null;
  }

  function send(told) {
    var now = state();
    if (now !== sent) told.state = sent = now;
    if (!told.statement && told.state === undefined) return;
    fetch("hasil/h5p", { method: "POST", body: JSON.stringify(told), keepalive: true })
      .then(function (answer) { return answer.ok ? answer.json() : Promise.reject(); })
      .then(lontar.say, lontar.fail);
  }

  new H5PStandalone.H5P(document.getElementById("isi"), {
    id: ID,
    h5pJsonPath: lontar.told.content,
    frameJs: new URL("pemutar/h5p-standalone/frame.bundle.js", location.href).pathname,
    frameCss: new URL("pemutar/h5p-standalone/styles/h5p.css", location.href).pathname,
    icon: false,
    saveFreq: 10,
    reportingIsEnabled: true,
    contentUserData: lontar.told.state ? [{ dataType: "state", previousState: lontar.told.state, subContentId: "0" }] : undefined,
  }).then(function () {
    H5P.externalDispatcher.on("xAPI", function (event) {
      var statement = event.data.statement;
      var above = statement.context && statement.context.contextActivities && statement.context.contextActivities.parent;
      send({ statement: statement, is_child: Boolean(above && above.length) });
    });
    setInterval(function () { send({}); }, 10000);
    window.addEventListener("pagehide", function () { send({}); });
  }).catch(lontar.fail);
})();

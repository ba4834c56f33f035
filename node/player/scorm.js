// SCORM 1.2 and 2004: content finds API or API_1484_11 in this window; scorm-again speaks to the laptop.
"use strict";
(function () {
  var BEACON_MOST = 20000;

  function settings(extra) {
    var made = {
      autocommit: true,
      autocommitSeconds: 10,
      lmsCommitUrl: "hasil/scorm",
      renderCommonCommitFields: true,
      terminateCommitParam: "akhir",
      selfReportSessionTime: true,
      logLevel: 4,
      xhrResponseHandler: function (xhr) {
        var saved = xhr.status === 200;
        if (saved) lontar.say(JSON.parse(xhr.responseText)); else lontar.fail();
        return { result: saved, errorCode: saved ? 0 : 101 };
      },
    };
    for (var name in extra) made[name] = extra[name];
    return made;
  }

  function recall(kept) {
    if (!kept) return;
    if (kept.core) {
      window.API.loadFromJSON(kept);
      // Where people stop, they go on.
      if (window.API.cmi.suspend_data) window.API.cmi.core.entry = "resume";
    } else {
      window.API_1484_11.loadFromJSON(kept);
      window.API_1484_11.cmi.entry = "resume";
    }
  }

  // The end is told by a beacon, which carries 64 KiB at most: of more than that, all but the end is said before.
  function commitLarge(api, finish, commit) {
    var plain = api[finish];
    api[finish] = function (nothing) {
      if (JSON.stringify(api.cmi).length > BEACON_MOST) api[commit]("");
      return plain.call(api, nothing);
    };
  }

  // Content that ends without a word about its state is done (SCORM 1.2 RTE, cmi.core.lesson_status).
  window.API = new Scorm12API(settings({ autoCompleteLessonStatus: true }));
  window.API_1484_11 = new Scorm2004API(settings({}));
  window.API.cmi.core.student_id = "peserta";
  window.API_1484_11.cmi.learner_id = "peserta";
  window.API.cmi.core.student_name = "Peserta";
  window.API_1484_11.cmi.learner_name = "Peserta";
  // What can't be read any more (another player kept it, say) must not keep anybody from beginning again.
  try { recall(lontar.told.state ? JSON.parse(lontar.told.state) : null); } catch (e) { console.warn(e); }
  commitLarge(window.API, "LMSFinish", "LMSCommit");
  commitLarge(window.API_1484_11, "Terminate", "Commit");
  window.API.on("LMSFinish", function () { setTimeout(lontar.ask, 300); });
  window.API_1484_11.on("Terminate", function () { setTimeout(lontar.ask, 300); });
  lontar.ready.then(function () { document.getElementById("isi").src = lontar.told.content; });
})();

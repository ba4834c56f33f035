// Reads a square code with the laptop's own camera: sends a picture a second until the server finds a code in one.
// Without a camera, or without this script, the form takes a photo file.
(function () {
  "use strict";
  var form = document.querySelector("[data-camera]");
  if (!form || !navigator.mediaDevices || !navigator.mediaDevices.getUserMedia || !window.fetch) return;
  var box = form.querySelector(".camera"), button = box.querySelector("button"), video = box.querySelector("video");
  var problem = box.querySelector(".error"), canvas = document.createElement("canvas"), stream = null;
  box.hidden = false;

  function stop() {
    if (stream) stream.getTracks().forEach(function (track) { track.stop(); });
    stream = null;
    video.hidden = true;
    button.hidden = false;
  }

  function send(picture) {
    var body = new FormData();
    body.append("csrf_token", form.elements.csrf_token.value);
    body.append("photo", picture, "camera.jpg");
    return fetch(form.action, { method: "POST", body: body, redirect: "manual", credentials: "same-origin" });
  }

  function look() {
    if (!stream) return;
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d").drawImage(video, 0, 0);
    canvas.toBlob(function (picture) {
      if (!picture) { setTimeout(look, 500); return; }
      send(picture).then(function (answer) {
        // The server leads on when it has read a code; else it explains, and the next picture is tried.
        if (answer.type === "opaqueredirect") { stop(); location.assign(form.dataset.next); }
        else setTimeout(look, 700);
      }, function () { setTimeout(look, 2000); });
    }, "image/jpeg", 0.85);
  }

  button.addEventListener("click", function () {
    problem.hidden = true;
    navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 } } }).then(function (opened) {
      stream = opened;
      video.srcObject = opened;
      video.hidden = false;
      button.hidden = true;
      video.onloadeddata = look;
      return video.play();
    }).catch(function () { stop(); problem.hidden = false; });
  });
  window.addEventListener("pagehide", stop);
})();

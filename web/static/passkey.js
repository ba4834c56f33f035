// Makes a passkey, or logs in with one (W3C Web Authentication). Where the browser has none of it, nothing is shown.
(function () {
  "use strict";
  var box = document.querySelector("[data-passkey]");
  if (!box || !window.PublicKeyCredential || !PublicKeyCredential.parseCreationOptionsFromJSON) return;
  var form = box.querySelector("form[hidden]"), problem = box.querySelector(".error"), plain = problem.textContent;
  form.hidden = false;

  function post(address, body) {
    var headers = { "Content-Type": "application/json", "X-CSRFToken": form.elements.csrf_token.value };
    return fetch(address, { method: "POST", headers: headers, body: JSON.stringify(body), credentials: "same-origin" })
      .then(function (answer) {
        return answer.json().then(function (said) {
          if (!answer.ok) throw new Error(said.problem || "");
          return said;
        });
      });
  }

  function ask(options) {
    var key = options.publicKey;
    return box.dataset.act === "create"
      ? navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(key) })
      : navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(key) });
  }

  form.addEventListener("submit", function (event) {
    event.preventDefault();
    problem.hidden = true;
    post(box.dataset.passkey, {})
      .then(ask)
      .then(function (made) { return post(box.dataset.answer, made.toJSON()); })
      .then(function (said) { location.assign(said.onward); })
      .catch(function (failure) {
        // What the browser itself says is for programmers, and in its own language.
        problem.textContent = failure instanceof DOMException ? plain : failure.message || plain;
        problem.hidden = false;
      });
  });
})();

// Passkeys need a script; nothing else of the portal does. Parts that need one are hidden until it runs.
const bytes = text => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), c => c.charCodeAt(0));
const text = buffer => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const post = (address, fields) => fetch(address, { method: "POST", body: new URLSearchParams(fields) });

/** The first step; null where the server has nothing to begin with. */
async function begin(address, fields) {
  const reply = await post(address, fields);
  return reply.ok && !reply.redirected ? reply.json() : null;
}

async function signIn(box) {
  const login = document.querySelector("input[name=login]").value.trim();
  if (!login) throw new Error(box.dataset.nameless);
  const begun = await begin("/trade/sign-in/passkey", { login });
  if (!begun) throw new Error(box.dataset.failed);
  const asked = begun.challenge.publicKey;
  asked.challenge = bytes(asked.challenge);
  for (const key of asked.allowCredentials ?? []) key.id = bytes(key.id);
  const found = await navigator.credentials.get({ publicKey: asked });
  const { authenticatorData, clientDataJSON, signature, userHandle } = found.response;
  const answer = {
    id: found.id, rawId: text(found.rawId), type: found.type, extensions: {},
    response: {
      authenticatorData: text(authenticatorData), clientDataJSON: text(clientDataJSON),
      signature: text(signature), userHandle: userHandle && text(userHandle),
    },
  };
  const reply = await post("/trade/sign-in/passkey/answer", { ceremony: begun.ceremony, answer: JSON.stringify(answer) });
  if (reply.status !== 204) throw new Error(box.dataset.failed);
  location.assign(box.dataset.next);
}

async function register(box) {
  const csrf = box.dataset.csrf;
  const begun = await begin("/trade/account/passkeys", { csrf });
  if (!begun) throw new Error(box.dataset.failed);
  const asked = begun.challenge.publicKey;
  asked.challenge = bytes(asked.challenge);
  asked.user.id = bytes(asked.user.id);
  for (const key of asked.excludeCredentials ?? []) key.id = bytes(key.id);
  const made = await navigator.credentials.create({ publicKey: asked });
  const answer = {
    id: made.id, rawId: text(made.rawId), type: made.type, extensions: {},
    response: {
      attestationObject: text(made.response.attestationObject), clientDataJSON: text(made.response.clientDataJSON),
      transports: made.response.getTransports?.() ?? null,
    },
  };
  const name = box.querySelector("input").value;
  const reply = await post("/trade/account/passkeys/answer", { csrf, name, ceremony: begun.ceremony, answer: JSON.stringify(answer) });
  if (reply.status !== 204) throw new Error(box.dataset.failed);
  location.reload();
}

if (window.PublicKeyCredential) {
  for (const box of document.querySelectorAll("[data-passkey]")) {
    const [button, told] = [box.querySelector("button"), box.querySelector("[role=alert]")];
    const act = box.dataset.passkey === "register" ? register : signIn;
    box.hidden = false;
    button.addEventListener("click", async () => {
      button.disabled = true;
      told.hidden = true;
      try {
        await act(box);
      } catch (error) {
        // The browser's own errors are not for people.
        const ours = [box.dataset.failed, box.dataset.nameless].includes(error.message);
        told.textContent = ours ? error.message : box.dataset.failed;
        told.hidden = false;
      } finally {
        button.disabled = false;
      }
    });
  }
}

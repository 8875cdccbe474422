// The panel's style, as a constructable sheet, which a site's Content-Security-Policy does not touch.

export const PHONE = '(max-width: 480px), (max-height: 440px)';

const CSS = `
:host { --bg: #fff; --fg: #191d22; --muted: #59626d; --edge: #dfe4ea; --their: #eef1f5; --link: #1d4fc4; --bad: #b42318; --star: #b26a00; }
@media (prefers-color-scheme: dark) { :host { --bg: #171a1f; --fg: #e8ebef; --muted: #a2abb6; --edge: #343a43; --their: #262b33; --link: #8db4ff;
  --bad: #ff9b90; --star: #ffc54d; } .panel { color-scheme: dark; } }
*, ::before { box-sizing: border-box; }
[hidden] { display: none !important; }
p, h2, ul { margin: 0; padding: 0; list-style: none; overflow-wrap: anywhere; }
button, input, textarea { font: inherit; color: inherit; margin: 0; }
button { cursor: pointer; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.icon { display: block; flex: none; width: 22px; height: 22px; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
small { flex: none; color: var(--muted); font-size: 12px; }

.launcher .icon { width: 100%; height: 100%; fill: none; display: none; }
.launcher[aria-expanded=true] svg { display: none; }
.launcher[aria-expanded=true] .icon { display: block; }
.badge { position: absolute; top: -4px; inset-inline-end: -4px; min-width: 23px; height: 23px; padding: 0 6px; border-radius: 12px;
  background: #c8281d; color: #fff; border: 2px solid #fff; font: 700 12px/19px system-ui, sans-serif; }
.badge:empty { display: none; }

.panel { position: fixed; bottom: max(92px, calc(72px + env(safe-area-inset-bottom))); right: 20px; display: flex; flex-direction: column; width: 384px;
  height: min(640px, 100vh - 112px); overflow: hidden; border-radius: 18px; background: var(--bg); color: var(--fg); font: var(--font);
  box-shadow: 0 0 0 1px var(--edge), 0 12px 48px #0005; }
:host([data-side=left]) .panel { right: auto; left: 20px; }
.panel:focus { outline: none; }
.header { display: flex; align-items: center; padding-block: 13px; padding-inline: 20px 8px; background: var(--accent); color: var(--ink); }
.header :focus-visible { outline-color: currentColor; outline-offset: -4px; }
.heading { flex: 1; min-width: 0; font-size: 13px; }
h2 { font-size: 17px; font-weight: 650; line-height: 1.3; }
.round { display: grid; place-items: center; flex: none; width: 44px; height: 44px; padding: 0; border: 0; border-radius: 50%; background: none; }
.round:hover { background: #8883; }
.banner { display: flex; gap: 10px; align-items: center; padding: 9px 20px; background: #fff3d6; color: #5c3d00; font-size: 13.5px; }
.banner:empty { display: none; }
.banner::before { content: ""; flex: none; width: 14px; height: 14px; border: 2px solid; border-top-color: transparent; border-radius: 50%; animation: turn .9s linear infinite; }

.middle { position: relative; flex: 1; min-height: 0; display: flex; flex-direction: column; }
.log { flex: 1; overflow-y: auto; overscroll-behavior: contain; padding: 18px 16px 8px; display: flex; flex-direction: column; }
.log:focus-visible { outline-offset: -3px; }
.log > :first-child { margin-top: auto; }
.day { align-self: center; margin: 14px 0 2px; color: var(--muted); font-size: 12.5px; font-weight: 600; }
.message { display: flex; flex-direction: column; align-items: flex-start; margin-top: 3px; padding-inline-end: 40px; }
.own { align-items: flex-end; padding-inline: 40px 0; }
.first { margin-top: 12px; }
.author { margin: 0 14px 3px; color: var(--muted); font-size: 12.5px; }
.message:not(.first) .author, .own .author { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.body { max-width: 100%; padding: 9px 14px; border-radius: 18px; border-end-start-radius: 6px; background: var(--their); white-space: pre-wrap; overflow-wrap: anywhere; }
.own .body { border-radius: 18px; border-end-end-radius: 6px; background: var(--accent); color: var(--ink); }
.own .body * { color: inherit; outline-color: currentColor; }
.body.deleted { background: none; color: var(--muted); font-style: italic; box-shadow: inset 0 0 0 1px var(--edge); }
a { color: var(--link); text-underline-offset: 2px; }
.quote { margin: 1px 0 6px; padding-inline-start: 9px; border-inline-start: 3px solid; font-size: 13.5px; opacity: .85;
  display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; }
.quote:empty { display: none; }
.files { display: grid; grid-template-columns: minmax(0, 1fr); gap: 6px; }
.text:not([hidden]) + .files:not(:empty) { margin-top: 6px; }
.file { display: flex; align-items: center; gap: 8px; min-height: 44px; color: inherit; }
.file-name { min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.picture { margin: 2px -8px; min-height: 44px; }
.picture img { display: block; max-width: 100%; max-height: 260px; min-width: 44px; min-height: 44px; border-radius: 12px; background: var(--their); }
.reactions { margin: 0 14px; }
.meta { display: none; margin: 3px 14px 0; color: var(--muted); font-size: 12px; }
.last .meta { display: block; }
.state:not(:empty)::before { content: " · "; }
[data-state=queued] .body { opacity: .72; }
[data-state=failed] .body { box-shadow: 0 0 0 2px var(--bg), 0 0 0 4px var(--bad); }
[data-state=failed] :is(.state, small), .wrong { color: var(--bad) !important; font-weight: 600; }
.failure { margin: 2px 10px 0; color: var(--bad); font-size: 13.5px; text-align: end; }
.failure span { display: block; padding-inline-end: 4px; }
.link { min-height: 44px; min-width: 44px; padding: 0 4px; margin-inline-start: 12px; border: 0; background: none; color: var(--link); font-weight: 600; text-decoration: underline; text-underline-offset: 3px; }
.typing { display: flex; align-items: center; gap: 10px; padding: 0 30px 8px; color: var(--muted); font-size: 13px; }
.dots { display: flex; gap: 4px; }
i { width: 6px; height: 6px; border-radius: 50%; background: currentColor; animation: blink 1.2s infinite; }
i + i { animation-delay: .2s; }
i + i + i { animation-delay: .4s; }
.latest { position: absolute; bottom: 10px; inset-inline-end: 16px; background: var(--bg); box-shadow: 0 0 0 1px var(--edge), 0 4px 20px #0005; }

.waiting { flex: none; max-height: 60%; overflow-y: auto; background: var(--their); }
.place, .rating { position: relative; padding: 10px 20px; font-size: 14px; }
.place:not(:has(> :not(:empty):not([hidden]))) { display: none; }
.waiting .link { margin-inline: -4px 0; }
.waiting form { display: grid; gap: 10px; padding-top: 6px; }
.waiting .row { align-items: center; gap: 12px; }
.waiting .primary { padding: 0 20px; }
.waiting textarea { width: 100%; border-radius: 12px; }
.rating .dismiss { position: absolute; top: 2px; inset-inline-end: 6px; color: var(--muted); }
.place + :not(:empty) { border-top: 1px solid var(--edge); }
fieldset { margin: 0; padding: 0; border: 0; min-width: 0; }
legend { padding: 0 36px 0 0; font-weight: 600; overflow-wrap: anywhere; }
.stars { display: flex; margin-inline-start: -8px; }
.stars input { appearance: none; display: grid; place-items: center; width: 44px; height: 44px; border-radius: 50%; cursor: pointer; }
.stars input::before { content: "☆"; font-size: 30px; line-height: 1; color: var(--muted); }
.stars .lit::before { content: "★"; color: var(--star); }
.word { min-height: 20px; color: var(--muted); }
.wrong:empty { display: none; }

.composer { padding: 8px 8px max(6px, env(safe-area-inset-bottom)); border-top: 1px solid var(--edge); }
.row { display: flex; align-items: flex-end; gap: 4px; }
.attach { color: var(--muted); }
textarea { flex: 1; min-width: 0; min-height: 44px; max-height: 132px; padding: 10px 14px; border: 1px solid var(--muted); border-radius: 22px; background: var(--bg);
  font-size: 16px; line-height: 22px; resize: none; scrollbar-width: thin; }
textarea:focus { outline-offset: -1px; }
::placeholder { color: var(--muted); opacity: 1; }
.send, .send:hover { background: var(--accent); color: var(--ink); }
.send:disabled { background: var(--their); color: var(--muted); cursor: default; }
.hint { min-height: 20px; padding: 4px 12px 0; color: var(--muted); font-size: 12px; text-align: center; }
.uploads { max-height: 180px; overflow-y: auto; }
.upload { display: flex; align-items: center; gap: 8px; padding-inline-start: 10px; border-radius: 12px; background: var(--their); margin-bottom: 6px; }
.upload-text { flex: 1; min-width: 0; display: grid; padding: 6px 0; font-size: 13.5px; line-height: 1.35; }
progress { appearance: none; width: 100%; height: 4px; margin: 4px 0; border: 0; background: var(--edge); }
::-webkit-progress-bar { background: none; }
::-webkit-progress-value { background: var(--link); }
::-moz-progress-bar { background: var(--link); }
.drop { position: absolute; inset: 8px; display: grid; place-content: center; border: 2px dashed var(--link); border-radius: 14px; background: var(--bg);
  font-weight: 600; pointer-events: none; }

.prechat { flex: 1; display: flex; flex-direction: column; gap: 16px; padding: 22px 20px; overflow-y: auto; }
.hello { font-size: 17px; }
.field { display: grid; gap: 5px; font-weight: 600; font-size: 14px; }
.field input { min-height: 46px; width: 100%; padding: 0 14px; border: 1px solid var(--muted); border-radius: 12px; background: var(--bg); font-size: 16px; font-weight: 400; }
.consent { display: flex; gap: 12px; padding: 10px 0; font-size: 13.5px; cursor: pointer; overflow-wrap: anywhere; }
.consent input { flex: none; width: 22px; height: 22px; accent-color: var(--accent); }
.primary { min-height: 48px; border: 0; border-radius: 14px; background: var(--accent); color: var(--ink); font-weight: 650; }

@media ${PHONE} {
  .panel, :host([data-side=left]) .panel { inset: var(--top, 0) 0 auto; width: 100%; height: var(--height, 100dvh); border-radius: 0; }
  .header { padding-top: max(13px, env(safe-area-inset-top)); }
  .launcher[aria-expanded=true] { display: none; }
}
@media (prefers-reduced-motion: no-preference) { .panel, .live .message { animation: rise .18s ease-out; } }
@media (prefers-reduced-motion: reduce) { *, ::before { animation: none !important; } }
@keyframes rise { from { opacity: 0; transform: translateY(8px); } }
@keyframes turn { to { transform: rotate(1turn); } }
@keyframes blink { 0%, 60%, 100% { opacity: .25; } 30% { opacity: 1; } }
`;

export function panelSheet() {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(CSS);
  return sheet;
}

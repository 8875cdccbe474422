// An IMAP server without extensions. Letters come as lines of base64; "?" asks for what
// lies in the inbox.
const hoodiecrow = require("hoodiecrow-imap");
const readline = require("node:readline");

const server = hoodiecrow({
    storage: { "": { folders: { Processed: {} } }, INBOX: {} },
});
const inbox = () => server.getMailbox("INBOX");
server.listen(0, "127.0.0.1", () => console.log("port", server.server.address().port));
readline.createInterface({ input: process.stdin }).on("line", (line) => {
    if (line === "?") {
        const letters = inbox().messages.map((message) => message.raw);
        const all = letters.map((raw) => Buffer.from(raw, "binary").toString("base64"));
        console.log("letters", all.join(" "));
    } else {
        server.appendMessage(inbox(), [], false, Buffer.from(line, "base64").toString("binary"));
        console.log("appended");
    }
}).on("close", () => process.exit());

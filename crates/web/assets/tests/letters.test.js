// Whom a letter is answered to.

import assert from "node:assert/strict";
import { test } from "node:test";
import { addressList, answerTo, readAddresses } from "../inbox/letter-addresses.js";

const letter = {
  id: "1",
  direction: /** @type {const} */ ("INBOUND"),
  letter: {
    from: { name: "Анна", address: "anna@client.example" },
    to: [{ address: "Support@shop.example" }, { address: "boss@client.example" }],
    cc: [{ address: "anna@client.example" }, { name: "Lawyer", address: "law@client.example" }],
  },
};
const own = ["support@shop.example"];

test("addresses are read as people write them", () => {
  assert.deepEqual(readAddresses('Anna <a@b.example>, c@d.example; "Shop, Ltd" <s@h.example>,'), [
    { name: "Anna", address: "a@b.example" },
    { address: "c@d.example" },
    { name: "Shop, Ltd", address: "s@h.example" },
  ]);
  assert.deepEqual(readAddresses("  "), []);
});

test("what a name holds makes no address of its own", () => {
  const written = [
    { name: "Law, Ltd", address: "law@client.example" },
    { name: "thief@evil.example, Anna", address: "anna@client.example" },
    { name: 'x" <thief@evil.example>; "', address: "a@b.example" },
    { name: "a@b.example", address: "a@b.example" },
    { address: "c@d.example" },
  ];
  const read = readAddresses(addressList(written));
  assert.deepEqual(
    read.map(({ address }) => address),
    written.map(({ address }) => address),
  );
  assert.deepEqual(read[0], written[0]);
  assert.equal(addressList(written.slice(0, 1)), '"Law, Ltd" <law@client.example>');
});

test("an answer goes to the sender, and to all but us when it is to go to all", () => {
  assert.deepEqual(answerTo(letter, false, own), { to: [letter.letter.from], cc: [] });
  assert.deepEqual(answerTo(letter, true, own), {
    to: [letter.letter.from],
    cc: [{ address: "boss@client.example" }, { name: "Lawyer", address: "law@client.example" }],
  });
});

test("what is no address gets no answer, nor what it names", () => {
  const cc = [{ address: "x, thief@evil.example" }, { address: "a>, <thief@evil.example" }, { address: "b@c.example" }];
  const odd = { ...letter, letter: { ...letter.letter, to: [], cc } };
  assert.deepEqual(answerTo(odd, true, own).cc, [{ address: "b@c.example" }]);
});

test("an answer goes where the sender asks for it", () => {
  const elsewhere = { ...letter, letter: { ...letter.letter, replyTo: [{ address: "desk@client.example" }] } };
  assert.deepEqual(answerTo(elsewhere, false, own).to, [{ address: "desk@client.example" }]);
  const forged = { ...elsewhere, letter: { ...elsewhere.letter, warnings: [/** @type {const} */ ("FORGED")] } };
  assert.deepEqual(answerTo(forged, false, own).to, [letter.letter.from]);
});

test("a letter of ours goes to the same people again", () => {
  const ours = { ...letter, direction: /** @type {const} */ ("OUTBOUND"), letter: { to: [{ address: "x@y.example" }] } };
  assert.deepEqual(answerTo(ours, true, own), { to: [{ address: "x@y.example" }], cc: [] });
});

//! Good input made bad: cut, doubled, turned over, put together wrong, with the marks of other formats in it.

use crate::dice::Dice;

/// Text that means something to one parser or another.
const NOISE: [&[u8]; 34] = [
    b"\r\n\r\n",
    b"\n",
    b"\n--B1\n",
    b"--B1--",
    b"Content-Type: multipart/mixed; boundary=B1\n",
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=B1\n",
    b"Content-Type: message/rfc822\n\n",
    b"Content-Type: text/html\n\n<p>",
    b"Content-Transfer-Encoding: base64\n",
    b"=?utf-8?B?////?=",
    b"=?utf-8?Q?=FF=FE?=",
    b"\0",
    b"\xFF\xFE\x80",
    b"{310}",
    b"<<<<>>>>@@@@",
    b"Action: failed\nStatus: 9.9.9\n",
    b"Final-Recipient: rfc822; kim+2Ba@corp.example\n",
    b"rfc822;;;;",
    b"Disposition: manual-action/MDN-sent-manually; displayed\n",
    "\u{202E}\u{0}é".as_bytes(),
    "\u{2028}\u{feff}ß\u{1F600}".as_bytes(),
    b"&#xFFFFFFFF;<div",
    b"<blockquote>",
    b"</style",
    b"> > > ",
    b"On Friday, x wrote:\n",
    b"-----Original Message-----\n",
    b"not ",
    b"?",
    b"[aaaaaaaa]",
    b"ack+",
    b"%00%ff&&==",
    b"{{#if",
    b"../",
];

/// One of the inputs with one to twelve changes; the others lend their parts.
pub fn mutated(dice: &mut Dice, inputs: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = inputs[dice.below(inputs.len())].clone();
    for _ in 0..1 + dice.below(12) {
        let at = dice.below(bytes.len() + 1);
        let scale = dice.below(9);
        let length = dice.below(1 << scale);
        let end = (at + length).min(bytes.len());
        match dice.below(7) {
            0 => drop(bytes.drain(at..end)),
            1 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            2 => drop(bytes.splice(at..at, dice.one(&NOISE).iter().copied())),
            3 => bytes.splice(at..end, std::iter::repeat_n(dice.byte(), length)).for_each(drop),
            4 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << dice.below(8);
                }
            }
            5 => bytes[at..end].make_ascii_uppercase(),
            _ => {
                let other = &inputs[dice.below(inputs.len())];
                let from = dice.below(other.len() + 1);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
        }
        bytes.truncate(1 << 20);
    }
    bytes
}

//! Inflate (RFC 1951) into memory, never further than it was told. A spreadsheet is a ZIP archive, and an archive of a few
//! kilobytes may hold gigabytes, whatever it declares: here nothing is made that was not allowed for.

/// The longest code.
const MOST_BITS: usize = 15;

/// What a length of each code begins with, and how many bits are added to it.
#[rustfmt::skip]
const LENGTHS: [(u16, u8); 29] = [
    (3, 0), (4, 0), (5, 0), (6, 0), (7, 0), (8, 0), (9, 0), (10, 0), (11, 1), (13, 1), (15, 1), (17, 1), (19, 2), (23, 2), (27, 2),
    (31, 2), (35, 3), (43, 3), (51, 3), (59, 3), (67, 4), (83, 4), (99, 4), (115, 4), (131, 5), (163, 5), (195, 5), (227, 5), (258, 0),
];

/// The same for distances.
#[rustfmt::skip]
const DISTANCES: [(u16, u8); 30] = [
    (1, 0), (2, 0), (3, 0), (4, 0), (5, 1), (7, 1), (9, 2), (13, 2), (17, 3), (25, 3), (33, 4), (49, 4), (65, 5), (97, 5), (129, 6),
    (193, 6), (257, 7), (385, 7), (513, 8), (769, 8), (1025, 9), (1537, 9), (2049, 10), (3073, 10), (4097, 11), (6145, 11), (8193, 12),
    (12289, 12), (16385, 13), (24577, 13),
];

/// The order in which lengths of the codes for lengths are told.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// Inflate what must be exactly `size` bytes. `None`: it is not, or is damaged.
pub(super) fn inflate(deflated: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut bits = Bits { bytes: deflated, at: 0, held: 0, count: 0 };
    let mut out = Out { bytes: Vec::new(), most: size };
    loop {
        let last = bits.take(1)? == 1;
        match bits.take(2)? {
            0 => stored(&mut bits, &mut out)?,
            1 => block(&mut bits, &mut out, &fixed())?,
            2 => {
                let codes = dynamic(&mut bits)?;
                block(&mut bits, &mut out, &codes)?;
            }
            _ => return None,
        }
        if last {
            return (out.bytes.len() == size).then_some(out.bytes);
        }
    }
}

/// What was made so far.
struct Out {
    bytes: Vec<u8>,
    most: usize,
}

impl Out {
    fn room(&self, more: usize) -> Option<()> {
        (more <= self.most - self.bytes.len()).then_some(())
    }

    fn literal(&mut self, byte: u8) -> Option<()> {
        self.room(1)?;
        self.bytes.push(byte);
        Some(())
    }

    /// Once more what was made `distance` before; it may overlap what it makes.
    fn again(&mut self, length: usize, distance: usize) -> Option<()> {
        self.room(length)?;
        let from = self.bytes.len().checked_sub(distance)?;
        for at in from..from + length {
            let byte = *self.bytes.get(at)?;
            self.bytes.push(byte);
        }
        Some(())
    }
}

/// Bits, the lowest first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    held: u32,
    count: u32,
}

impl Bits<'_> {
    fn take(&mut self, count: u32) -> Option<u32> {
        while self.count < count {
            self.held |= u32::from(*self.bytes.get(self.at)?) << self.count;
            self.at += 1;
            self.count += 8;
        }
        let taken = self.held & ((1 << count) - 1);
        self.held >>= count;
        self.count -= count;
        Some(taken)
    }
}

/// A Huffman code: how many codes each length has, and what they stand for, in their order.
struct Code {
    counts: [u16; MOST_BITS + 1],
    symbols: Vec<u16>,
}

impl Code {
    /// The code whose lengths are these. `None`: they make no code.
    fn of(lengths: &[u8]) -> Option<Self> {
        let mut counts = [0u16; MOST_BITS + 1];
        for length in lengths {
            *counts.get_mut(usize::from(*length))? += 1;
        }
        let mut left = 1i32;
        let mut offsets = [0usize; MOST_BITS + 2];
        for length in 1..=MOST_BITS {
            left = (left << 1) - i32::from(counts[length]);
            if left < 0 {
                return None;
            }
            offsets[length + 1] = offsets[length] + usize::from(counts[length]);
        }
        let mut symbols = vec![0; lengths.len()];
        for (symbol, length) in (0u16..).zip(lengths).filter(|(_, length)| **length > 0) {
            let offset = &mut offsets[usize::from(*length)];
            *symbols.get_mut(*offset)? = symbol;
            *offset += 1;
        }
        Some(Self { counts, symbols })
    }

    fn next(&self, bits: &mut Bits<'_>) -> Option<usize> {
        let (mut code, mut first, mut index) = (0i32, 0i32, 0i32);
        for count in self.counts.iter().skip(1) {
            code |= bits.take(1)? as i32;
            let count = i32::from(*count);
            if code - count < first {
                return self
                    .symbols
                    .get(usize::try_from(index + code - first).ok()?)
                    .map(|s| usize::from(*s));
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        None
    }
}

/// The codes of a block: of literals and lengths, and of distances.
struct Codes {
    literals: Code,
    distances: Code,
}

fn stored(bits: &mut Bits<'_>, out: &mut Out) -> Option<()> {
    (bits.held, bits.count) = (0, 0);
    let head: [u8; 4] = bits.bytes.get(bits.at..)?.get(..4)?.try_into().ok()?;
    let (length, check) = (u16::from_le_bytes([head[0], head[1]]), u16::from_le_bytes([head[2], head[3]]));
    if length != !check {
        return None;
    }
    let from = bits.at + 4;
    let bytes = bits.bytes.get(from..from + usize::from(length))?;
    out.room(bytes.len())?;
    out.bytes.extend_from_slice(bytes);
    bits.at = from + usize::from(length);
    Some(())
}

fn fixed() -> Codes {
    let mut lengths = [8u8; 288];
    lengths[144..256].fill(9);
    lengths[256..280].fill(7);
    let none = || Code { counts: [0; MOST_BITS + 1], symbols: Vec::new() };
    Codes {
        literals: Code::of(&lengths).unwrap_or_else(none),
        distances: Code::of(&[5; 30]).unwrap_or_else(none),
    }
}

fn dynamic(bits: &mut Bits<'_>) -> Option<Codes> {
    let literals = bits.take(5)? as usize + 257;
    let distances = bits.take(5)? as usize + 1;
    let told = bits.take(4)? as usize + 4;
    if literals > 286 || distances > 30 {
        return None;
    }
    let mut lengths = [0u8; 19];
    for place in &ORDER[..told] {
        lengths[*place] = bits.take(3)? as u8;
    }
    let code = Code::of(&lengths)?;
    let mut lengths = Vec::with_capacity(literals + distances);
    while lengths.len() < literals + distances {
        let (length, times) = match code.next(bits)? {
            16 => (*lengths.last()?, 3 + bits.take(2)?),
            17 => (0, 3 + bits.take(3)?),
            18 => (0, 11 + bits.take(7)?),
            length => (length as u8, 1),
        };
        lengths.extend(std::iter::repeat_n(length, times as usize));
    }
    // A run may not go beyond, and a block without an end would have none.
    if lengths.len() != literals + distances || lengths[256] == 0 {
        return None;
    }
    let (literals, distances) = lengths.split_at(literals);
    Some(Codes { literals: Code::of(literals)?, distances: Code::of(distances)? })
}

fn block(bits: &mut Bits<'_>, out: &mut Out, codes: &Codes) -> Option<()> {
    loop {
        match codes.literals.next(bits)? {
            256 => return Some(()),
            literal @ 0..256 => out.literal(literal as u8)?,
            length => {
                let (base, more) = *LENGTHS.get(length - 257)?;
                let length = usize::from(base) + bits.take(u32::from(more))? as usize;
                let (base, more) = *DISTANCES.get(codes.distances.next(bits)?)?;
                let distance = usize::from(base) + bits.take(u32::from(more))? as usize;
                out.again(length, distance)?;
            }
        }
    }
}

//! Values and residuals fall into classes by their size: what contexts are made of.

/// The class of a value that can be negative: its sign, and its size in steps of half an octave.
#[inline]
pub fn class_of_value(value: i32) -> u16 {
    let size = value.unsigned_abs() as usize;
    let class = VALUE_CLASSES.get(size).copied().unwrap_or(VALUE_CLASS_MAX);
    u16::from(class) + if value < 0 { 16 } else { 0 }
}

/// The class of a zigzag residual: its size in steps of a quarter octave. Its sign does not matter.
#[inline]
pub fn class_of_residual(residual: u32) -> u16 {
    u16::from(RESIDUAL_CLASSES.get(residual as usize).copied().unwrap_or(RESIDUAL_CLASS_MAX))
}

const VALUE_CLASS_MAX: u8 = 15;
const RESIDUAL_CLASS_MAX: u8 = 31;

/// Classes of the sizes below the highest class.
static VALUE_CLASSES: [u8; 192] = {
    let mut classes = [0; _];
    let mut size = 0;
    while size < classes.len() {
        classes[size] = class_of_size(size as u32, 1);
        size += 1;
    }
    classes
};

/// Classes of the residuals below the highest class.
static RESIDUAL_CLASSES: [u8; 895] = {
    let mut classes = [0; _];
    let mut residual = 0;
    while residual < classes.len() {
        classes[residual] = class_of_size(residual.div_ceil(2) as u32, 2);
        residual += 1;
    }
    classes
};

/// The class of a size where every octave has `2^bits` classes.
const fn class_of_size(size: u32, bits: u32) -> u8 {
    if size >> bits == 0 {
        return size as u8;
    }
    // The bits after the leading one are the place in the octave.
    let below = size.ilog2() - bits;
    ((below << bits) + (size >> below)) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_steps_of_an_octave() {
        let classes = [0, 1, -1, 2, 3, 4, 6, -6, 191, 192, i32::MAX, i32::MIN].map(class_of_value);
        assert_eq!(classes, [0, 1, 17, 2, 3, 4, 5, 21, 14, 15, 15, 31]);
        let classes = [0, 1, 2, 3, 8, 9, 10, 894, 895, u32::MAX].map(class_of_residual);
        assert_eq!(classes, [0, 1, 1, 2, 4, 5, 5, 30, 31, 31]);
    }
}

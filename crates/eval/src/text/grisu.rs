//! Floats as C++ Nix writes them into JSON: Grisu2, with the table and the range of exponents of the library it uses.
//!
//! Its digits read back the same and are mostly, but not always, the shortest ones: who wants the same texts, and with
//! them the same derivations, has to do the same. Florian Loitsch: *Printing Floating-Point Numbers Quickly and
//! Accurately with Integers*, 2010, section 5.

/// A number `fraction * 2^exponent`.
#[derive(Clone, Copy)]
struct Scaled {
    fraction: u64,
    exponent: i32,
}

impl Scaled {
    /// The upper half of the product, rounded to the nearest.
    fn times(self, other: Self) -> Self {
        let product = u128::from(self.fraction) * u128::from(other.fraction) + (1 << 63);
        Self { fraction: (product >> 64) as u64, exponent: self.exponent + other.exponent + 64 }
    }

    /// The same number with the highest bit set.
    fn normalized(self) -> Self {
        let shift = self.fraction.leading_zeros();
        Self { fraction: self.fraction << shift, exponent: self.exponent - shift as i32 }
    }
}

/// The powers of ten from -300 to 324, every eighth, rounded to 64 bits.
const POWERS: [u64; 79] = [
    0xAB70_FE17_C79A_C6CA,
    0xFF77_B1FC_BEBC_DC4F,
    0xBE56_91EF_416B_D60C,
    0x8DD0_1FAD_907F_FC3C,
    0xD351_5C28_3155_9A83,
    0x9D71_AC8F_ADA6_C9B5,
    0xEA9C_2277_23EE_8BCB,
    0xAECC_4991_4078_536D,
    0x823C_1279_5DB6_CE57,
    0xC210_9436_4DFB_5637,
    0x9096_EA6F_3848_984F,
    0xD774_85CB_2582_3AC7,
    0xA086_CFCD_97BF_97F4,
    0xEF34_0A98_172A_ACE5,
    0xB238_67FB_2A35_B28E,
    0x84C8_D4DF_D2C6_3F3B,
    0xC5DD_4427_1AD3_CDBA,
    0x936B_9FCE_BB25_C996,
    0xDBAC_6C24_7D62_A584,
    0xA3AB_6658_0D5F_DAF6,
    0xF3E2_F893_DEC3_F126,
    0xB5B5_ADA8_AAFF_80B8,
    0x8762_5F05_6C7C_4A8B,
    0xC9BC_FF60_34C1_3053,
    0x964E_858C_91BA_2655,
    0xDFF9_7724_7029_7EBD,
    0xA6DF_BD9F_B8E5_B88F,
    0xF8A9_5FCF_8874_7D94,
    0xB944_7093_8FA8_9BCF,
    0x8A08_F0F8_BF0F_156B,
    0xCDB0_2555_6531_31B6,
    0x993F_E2C6_D07B_7FAC,
    0xE45C_10C4_2A2B_3B06,
    0xAA24_2499_6973_92D3,
    0xFD87_B5F2_8300_CA0E,
    0xBCE5_0864_9211_1AEB,
    0x8CBC_CC09_6F50_88CC,
    0xD1B7_1758_E219_652C,
    0x9C40_0000_0000_0000,
    0xE8D4_A510_0000_0000,
    0xAD78_EBC5_AC62_0000,
    0x813F_3978_F894_0984,
    0xC097_CE7B_C907_15B3,
    0x8F7E_32CE_7BEA_5C70,
    0xD5D2_38A4_ABE9_8068,
    0x9F4F_2726_179A_2245,
    0xED63_A231_D4C4_FB27,
    0xB0DE_6538_8CC8_ADA8,
    0x83C7_088E_1AAB_65DB,
    0xC45D_1DF9_4271_1D9A,
    0x924D_692C_A61B_E758,
    0xDA01_EE64_1A70_8DEA,
    0xA26D_A399_9AEF_774A,
    0xF209_787B_B47D_6B85,
    0xB454_E4A1_79DD_1877,
    0x865B_8692_5B9B_C5C2,
    0xC835_53C5_C896_5D3D,
    0x952A_B45C_FA97_A0B3,
    0xDE46_9FBD_99A0_5FE3,
    0xA59B_C234_DB39_8C25,
    0xF6C6_9A72_A398_9F5C,
    0xB7DC_BF53_54E9_BECE,
    0x88FC_F317_F222_41E2,
    0xCC20_CE9B_D35C_78A5,
    0x9816_5AF3_7B21_53DF,
    0xE2A0_B5DC_971F_303A,
    0xA8D9_D153_5CE3_B396,
    0xFB9B_7CD9_A4A7_443C,
    0xBB76_4C4C_A7A4_4410,
    0x8BAB_8EEF_B640_9C1A,
    0xD01F_EF10_A657_842C,
    0x9B10_A4E5_E991_3129,
    0xE710_9BFB_A19C_0C9D,
    0xAC28_20D9_623B_F429,
    0x8044_4B5E_7AA7_CF85,
    0xBF21_E440_03AC_DD2D,
    0x8E67_9C2F_5E44_FF8F,
    0xD433_179D_9C8C_B841,
    0x9E19_DB92_B4E3_1BA9,
];
const FIRST_POWER: i32 = -300;
const STEP: i32 = 8;
/// After scaling, the exponents are at least this.
const LEAST_EXPONENT: i32 = -60;

/// The digits of a positive number, and the power of ten that the last one counts.
pub(super) fn digits(value: f64) -> (Vec<u8>, i32) {
    let (low, exact, high) = interval(value);
    let (power, ten) = power_for(high.exponent);
    let (low, exact, high) = (low.times(power), exact.times(power), high.times(power));
    // The products are off by less than one: what is inside of these reads back the same.
    let low = Scaled { fraction: low.fraction + 1, ..low };
    let high = Scaled { fraction: high.fraction - 1, ..high };
    generate(low, exact, high, -ten)
}

/// The number, and the middles between it and its two neighbours, with one exponent.
fn interval(value: f64) -> (Scaled, Scaled, Scaled) {
    const HIDDEN: u64 = 1 << 52;
    const BIAS: i32 = 1075;
    let bits = value.to_bits();
    let (biased, fraction) = ((bits >> 52 & 0x7ff) as i32, bits & (HIDDEN - 1));
    let exact = if biased == 0 {
        Scaled { fraction, exponent: 1 - BIAS }
    } else {
        Scaled { fraction: fraction | HIDDEN, exponent: biased - BIAS }
    };
    let high = Scaled { fraction: 2 * exact.fraction + 1, exponent: exact.exponent - 1 }.normalized();
    let lower_is_closer = fraction == 0 && biased > 1;
    let low = if lower_is_closer {
        Scaled { fraction: 4 * exact.fraction - 1, exponent: exact.exponent - 2 }
    } else {
        Scaled { fraction: 2 * exact.fraction - 1, exponent: exact.exponent - 1 }
    };
    let low = Scaled { fraction: low.fraction << (low.exponent - high.exponent), exponent: high.exponent };
    (low, exact.normalized(), high)
}

/// A power of ten that brings a binary exponent into the range, and which one it is.
fn power_for(exponent: i32) -> (Scaled, i32) {
    let wanted = LEAST_EXPONENT - exponent - 1;
    let ten = wanted * 78_913 / (1 << 18) + i32::from(wanted > 0);
    let index = (ten - FIRST_POWER + STEP - 1) / STEP;
    let ten = FIRST_POWER + index * STEP;
    let fraction = POWERS.get(index as usize).copied().unwrap_or(1 << 63);
    (Scaled { fraction, exponent: ((ten * 217_706) >> 16) - 63 }, ten)
}

/// As many digits of the upper end as are needed to be inside; then the last one is moved towards the number.
fn generate(low: Scaled, exact: Scaled, high: Scaled, ten: i32) -> (Vec<u8>, i32) {
    let (mut range, mut distance) = (high.fraction - low.fraction, high.fraction - exact.fraction);
    let shift = -high.exponent as u32;
    let one = 1u64 << shift;
    let (mut whole, mut rest) = (high.fraction >> shift, high.fraction & (one - 1));
    let mut digits = Vec::with_capacity(18);
    let mut left = whole.checked_ilog10().map_or(1, |log| log + 1);
    while left > 0 {
        left -= 1;
        let unit = 10u64.pow(left);
        digits.push(b'0' + (whole / unit) as u8);
        whole %= unit;
        let remainder = (whole << shift) + rest;
        if remainder <= range {
            approach(&mut digits, distance, range, remainder, unit << shift);
            return (digits, ten + left as i32);
        }
    }
    let mut ten = ten;
    loop {
        rest *= 10;
        digits.push(b'0' + (rest >> shift) as u8);
        rest &= one - 1;
        ten -= 1;
        range *= 10;
        distance *= 10;
        if rest <= range {
            approach(&mut digits, distance, range, rest, one);
            return (digits, ten);
        }
    }
}

/// Lowers the last digit as long as that comes nearer to the number.
fn approach(digits: &mut [u8], distance: u64, range: u64, rest: u64, unit: u64) {
    let Some(last) = digits.last_mut() else { return };
    let mut rest = rest;
    while rest < distance
        && range - rest >= unit
        && (rest + unit < distance || distance - rest > rest + unit - distance)
    {
        *last -= 1;
        rest += unit;
    }
}

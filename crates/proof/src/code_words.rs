//! The words of codes that people tell each other, also by telephone: short, known to most, no two of them alike but for
//! one letter.

use super::draw;

/// Words of a code: 40 bits, which nobody guesses who is told to wait after some wrong ones.
const CODE_WORDS: usize = 4;

/// The words, in order of the alphabet. What was given out stays good when this changes: only hashes are kept.
const WORDS: &str = "\
    acorn actor adapt admiral adobe advice aerial agenda airport alarm album alert algebra alley almond aloe alpine \
    amber ample amulet anchor angel ankle answer anthem antler anvil apricot april apron aqua arcade archer arena \
    argon armor aroma arrow artist ash aspen asphalt atlas attic august aunt aurora autumn avenue avocado award axis \
    axle azure bacon badge bagel bagpipe baker balcony ballad ballet balloon bamboo banana banjo banner barber \
    barley barn barrel basil basket bassoon battery bazaar beach beanbag beard beaver bedrock beetle begonia bell \
    beluga berry beyond bicycle bingo biology birch biscuit bishop bison blanket blaze blossom blue bluff boat \
    bobbin bobcat bonfire bonnet border borough botany bottle boulder bounce bouquet bowl boxer branch brass bread \
    breeze brick bridge bright bronze brook brother brownie brush bubble bucket buffalo bugle bulldog bumper bundle \
    bunny burger burrow butter button buzzard cabbage cabin cabinet cable cactus cadet cafe calypso camel camera \
    campus canal canary candle candy canoe canvas canyon captain caramel caravan carbon cargo caribou carol carpet \
    carrot cashew castle catalog catfish cavern cedar celery cello cement center century ceramic cereal chain chalet \
    chalk chamber channel chapel chariot charm cheddar cheese cheetah cherry chess chicken chief chime chimney \
    chorus chrome cider cinema circle circus citrus city clay clever cliff climb clock cloud coach coast cobalt \
    cobbler cobra cocoa coconut coffee collar colonel colony column comet comfort comic compass concert condor \
    conifer copper coral corner cosmos cottage cotton cougar council country courier cousin cowbell coyote cradle \
    crane crater crayon cream cricket crimson crisp crocus crouton crown cruise crystal cub cuckoo cumin cupcake \
    curry curtain cushion custard cycle cymbal cypress dahlia dairy dancer daring dawn deacon decade decimal deer \
    delight delta denim dentist derby desert design detail dewdrop diamond diary digital dime dinner diploma discus \
    doctor dodo dolphin domino donkey doodle dozen dragon drawer dresser drift drum duck dugout dune dwarf dynamo \
    eagle early earth easel easy echo eclair eclipse editor eight elbow elder eleven elm emerald empire emu encore \
    endive energy engine epic epoch equal equator ermine escort essay estuary ethics evening evident exotic expert \
    explore extra fabric falcon family famous fancy farmer father faucet fennel fern fiber fiddle field fifteen fig \
    figure filter finch finger finish firefly fireman fisher fjord flag flame flannel flavor fleet flicker flint \
    float florist flour flower fluffy flute foam focus folder forest forever fork formula fortune forty fossil fox \
    fragile freckle freedom freight fresh friday friend frigate fringe frog frost frozen fruit fudge fuel furnace \
    future gadget galaxy galleon gallery gallop garage garden garlic garnet gate gazebo gazelle gecko genius gentle \
    geology geyser giant giggle giraffe glacier glad glass glide glitter globe glory gnome goblet golden gondola \
    goose gopher gorilla gospel gourd grain grammar granite grape gravel gravity gravy green griffin grizzly grocer \
    groove grotto guard guava guest guitar gull gym habit hammer hammock hamster hangar happy harbor harmony harp \
    harvest hatchet hawk hazel heart heaven hedge helmet herald herb hermit heron hickory hidden highway hiker hill \
    hippo history hockey hollow holly honest honey horizon hornet horse hotel hour huddle human humble hundred \
    hunter husky hut hydrant hyena iceberg icicle idea igloo iguana impulse indigo infant ink insect island ivory \
    ivy jacket jaguar january jasmine jazz jelly jersey jester jewel jigsaw jogger journal joyful juggle juice july \
    jumbo junior juniper kayak kernel kettle kind kiosk kitchen kite kitten kiwi knee knight knot koala label ladder \
    ladle lagoon lake lamp lantern laptop laser lasso lattice laurel lava lawyer leader leaf lecture legend lemon \
    lentil leopard lesson letter lettuce level liberty library lilac lily linen lion liquid lizard llama lobster \
    locket locust lodge logic lotus lucky lullaby lumber lunar lunch lupin lyric machine magenta magnet magpie \
    mammal mango mansion maple marble margin marina market maroon marsh mascot mason master matrix mayor meadow \
    medal melody melon member memory mentor menu mercury mermaid meteor method mile mimosa mineral mint minute \
    mirror mixture mobile model modern molar monday month moon mosaic moss mother motor mouse muffin mural muscle \
    museum music napkin nation nature navy nebula nectar needle neon nephew nest nibble nickel noble north novel \
    nurse nutmeg nylon oak oasis object oboe ocean office olive omelet onion opal open opera orange orbit orchid \
    organ oriole osprey otter outfit oxygen oyster paddle pagoda palace palm panda panel papaya paper parade parcel \
    parent party pasta pastry path patio patrol peanut pearl pebble pecan pencil pepper petal phone photo piano \
    pickle picnic pigeon pillow pilot pine pirate pixel pizza plaid planet plank plaza plenty plow plum plural poem \
    polite pollen pond poplar poppy porch portal potato powder prince prism prize proof proud pulse puma puppet \
    purple puzzle quail quarry quartz queen quick quiet quince quiver quota rabbit radar radio radish raft raisin \
    random ranger rapid raven razor recipe record reef reflex region relax relish remote rescue reward rhythm ribbon \
    rice ring ripple river road robin robot rodeo rookie rope round royal rubber ruby ruler runner rustic safari \
    sage sailor salad salmon salute sandal satin saturn sauce sauna scale scarf scenic school scout screen script \
    scroll season second secret seesaw sentry sesame seven shadow shark shelf shield shine ship shirt shoe shovel \
    shower shrimp siesta signal silk silver simple siren sister six skater sketch ski skill slate sleeve slope smoke \
    smooth snail snow soap soccer sofa solid sonata song south sphere spice spider spiral sponge spoon sport spring \
    sprout spruce square squash squid stable stamp star statue steady steam steel stereo stone stork straw street \
    stripe studio sturdy subway sugar sulfur summer summit sunday sunset supper surfer swan swift swim switch symbol \
    syrup system talent target tarot teapot temple tennis tent theory thirty thorn thread three throne thumb thyme \
    tiger timber tinsel tomato topaz topic toucan towel trail tribe trophy trout truck tulip tundra tunic tunnel \
    turban turkey turnip turtle tutor tuxedo twelve twenty twig uncle under update urchin useful usher vacuum vapor \
    vault velvet vendor verse vessel victor video vinyl viola violet vista vivid volume voyage wafer waffle wagon \
    walnut walrus wander warm wasp wave wealth week whale wheat wheel white wicker widget window winter wisdom wolf \
    wombat wood worker world wren wrist writer yacht yard yellow yeoman yogurt yonder young yoyo zebra zenith zephyr \
    zero zigzag zinc zodiac zone";

/// How many there are: each stands for ten bits.
const COUNT: usize = 1 << 10;

/// A code of words that nobody can guess, with `-` between them.
pub(crate) fn words() -> String {
    let bytes = draw::<{ 2 * CODE_WORDS }>();
    let drawn = bytes.chunks_exact(2).map(|pair| {
        let place = usize::from(u16::from_be_bytes([pair[0], pair[1]])) % COUNT;
        WORDS.split(' ').nth(place).unwrap_or_default()
    });
    drawn.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn words_are_short_and_not_mistaken_for_each_other() {
        let words: Vec<&str> = WORDS.split(' ').collect();
        assert_eq!(words.len(), COUNT);
        assert!(words.is_sorted());
        for word in &words {
            assert!(
                (3..=7).contains(&word.len()) && word.bytes().all(|letter| letter.is_ascii_lowercase()),
                "{word}"
            );
            // They would be taken for something else where a code is typed.
            assert!(!["add", "del", "list"].contains(word), "{word}");
        }
        for (at, word) in words.iter().enumerate() {
            for other in words[at + 1..].iter().filter(|other| other.len() == word.len()) {
                let differing = word.bytes().zip(other.bytes()).filter(|(one, two)| one != two).count();
                assert!(differing > 1, "{word} {other}");
            }
        }
    }

    #[test]
    fn codes_differ_and_are_made_of_words() {
        let codes: BTreeSet<String> = (0..200).map(|_| words()).collect();
        assert_eq!(codes.len(), 200);
        for code in codes {
            let parts: Vec<&str> = code.split('-').collect();
            assert_eq!(parts.len(), CODE_WORDS, "{code}");
            assert!(parts.iter().all(|part| WORDS.split(' ').any(|word| word == *part)), "{code}");
        }
    }
}

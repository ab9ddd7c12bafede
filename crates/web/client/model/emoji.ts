// Emoji by their names, for completion after a colon: those that people use, each with the words by which it is found.

const LIST = `😀 grinning 😃 smiley 😄 smile 😁 grin 😆 laughing 😅 sweat_smile 🤣 rofl 😂 joy 🙂 slight_smile 🙃 upside_down 😉 wink 😊 blush 😇 innocent
🥰 in_love 😍 heart_eyes 🤩 star_struck 😘 kissing_heart 😋 yum 😛 tongue 😜 crazy_wink 🤪 zany 🤗 hug 🤭 giggle 🤫 shush 🤔 thinking 🤐 zipper 🤨 raised_eyebrow 😐 neutral
😑 expressionless 😶 no_mouth 😏 smirk 😒 unamused 🙄 rolling_eyes 😬 grimacing 😌 relieved 😔 pensive 😪 sleepy 😴 sleeping 😷 mask 🤒 ill 🤢 nauseated 🤧 sneezing
🥵 hot 🥶 cold 🥴 woozy 😵 dizzy 🤯 exploding_head 🥳 partying 😎 cool 🤓 nerd 🧐 monocle 😕 confused 😟 worried 🙁 frowning 😮 open_mouth 😲 astonished
🥺 pleading 😨 fearful 😰 anxious 😢 cry 😭 sob 😱 scream 😖 confounded 😣 persevere 😞 disappointed 😓 sweat 😩 weary 😫 tired 🥱 yawning 😤 triumph 😡 angry
🤬 cursing 😈 imp 💀 skull 💩 poop 🤡 clown 👻 ghost 👽 alien 🤖 robot 😺 cat_smile 🙈 see_no_evil 🙉 hear_no_evil 🙊 speak_no_evil
❤️ heart 🧡 orange_heart 💛 yellow_heart 💚 green_heart 💙 blue_heart 💜 purple_heart 🖤 black_heart 💔 broken_heart 💯 hundred 💥 boom 💤 zzz 💬 speech
👋 wave ✋ hand 👌 ok 🤏 pinch ✌️ victory 🤞 fingers_crossed 🤘 metal 👈 left 👉 right 👆 up 👇 down 👍 thumbs_up 👍 +1 👎 thumbs_down 👎 -1 ✊ fist 👊 punch 👏 clap 🙌 raised_hands
🙏 pray 🙏 thanks 🤝 handshake 💪 muscle 👀 eyes 🧠 brain 🙋 raising_hand 🤦 facepalm 🤷 shrug 🏃 running 💃 dancing 👥 people
🐶 dog 🐱 cat 🐭 mouse 🦊 fox 🐻 bear 🐼 panda 🐸 frog 🐔 chicken 🐧 penguin 🦄 unicorn 🐝 bee 🐛 bug 🦋 butterfly 🐌 snail 🐢 turtle 🐍 snake 🐙 octopus 🐟 fish 🐳 whale 🦀 crab
🌸 blossom 🌹 rose 🌻 sunflower 🌲 tree 🌵 cactus 🍀 clover 🍁 maple_leaf 🌍 earth 🌙 moon ⭐ star ✨ sparkles ⚡ lightning 🔥 fire 🌈 rainbow ☀️ sun ☁️ cloud 🌧️ rain ❄️ snow 💧 droplet 🌊 ocean
🍎 apple 🍌 banana 🍓 strawberry 🍒 cherries 🥑 avocado 🥕 carrot 🍞 bread 🧀 cheese 🍔 burger 🍟 fries 🍕 pizza 🌮 taco 🍣 sushi 🍰 cake 🎂 birthday 🍪 cookie 🍫 chocolate ☕ coffee 🍵 tea 🍺 beer 🍷 wine 🥂 cheers
⚽ football 🏀 basketball 🎮 game 🎲 dice 🎯 dart 🎸 guitar 🎵 music 🎨 art 🎬 film 🎤 microphone 🏆 trophy 🎉 tada 🎊 confetti 🎁 gift 🎈 balloon
🚗 car 🚌 bus 🚲 bike ✈️ plane 🚀 rocket 🚢 ship 🏠 house 🏖️ beach ⏰ alarm ⌛ hourglass 💻 computer ⌨️ keyboard 📱 phone 📷 camera 💡 idea 🔋 battery 🔌 plug 🔧 wrench 🔨 hammer ⚙️ gear 🔒 lock 🔑 key
📌 pin 📎 paperclip 📝 memo 📚 books 📈 chart 📅 calendar ✉️ mail 📦 package 🗑️ trash 💰 money 🔔 bell 🔍 search 🧪 test 🩹 bandage 🚧 construction
✅ check ❌ cross ❓ question ❗ exclamation ⚠️ warning 🚫 no_entry ♻️ recycle 🆗 ok_sign 🆕 new ➕ plus ➖ minus ➡️ arrow_right ⬅️ arrow_left 🔁 repeat 🏁 finish 🚩 flag 🏳️‍🌈 rainbow_flag`;

/** Signs with their names, in the order in which they are offered. */
export const EMOJI: readonly (readonly [sign: string, name: string])[] = LIST.split(/\s+/).reduce<[string, string][]>((all, word, index) => {
  if (index % 2 === 0) all.push([word, ""]);
  else (all.at(-1) as [string, string])[1] = word;
  return all;
}, []);

/** Those whose name begins so, then those that have it elsewhere. */
export function emoji(typed: string, most: number): (readonly [string, string])[] {
  const begun = typed.toLowerCase();
  const first = EMOJI.filter(([, name]) => name.startsWith(begun));
  const inside = EMOJI.filter(([, name]) => !name.startsWith(begun) && name.split("_").some((part) => part.startsWith(begun)));
  return [...first, ...inside].slice(0, most);
}

/// A short text of several kinds, written for Gambit: what export measures the loss of rounded weights on where it is
/// given no other, and global allocation what places lose. A change of it changes what manifests state.
enum BuiltInText {
  static let documents = [story, encyclopedia, dialogue, code, instructions]

  /// How its paragraphs begin, with eight words each: what models are asked to continue where no prompts are given.
  static var prompts: [String] {
    documents.joined(separator: "\n\n").split(separator: "\n\n").map { paragraph in
      paragraph.split(whereSeparator: \.isWhitespace).prefix(8).joined(separator: " ")
    }
  }

  private static let story = """
    The lighthouse keeper had not spoken to anyone for eleven days when the boat came in. It was a small boat, painted \
    green, and the woman who rowed it did not look up until its keel touched the stones. She had brought flour, lamp \
    oil and a letter. He took the flour and the oil up the path, one sack on each shoulder, and left the letter on the \
    table under the window, where he could see it without having to read it.

    "You are not going to open it," she said.

    "Tomorrow, perhaps. When the wind has turned."

    She laughed, because on that side of the island the wind never turned. In the evening they sat on the wall and \
    watched the ships go by, far out, with their lights already burning. He told her how the old keeper had counted \
    them, every night for thirty years, and had written the numbers into a book that nobody would ever want. She asked \
    where the book was now. He thought for a while. Then he went inside, lifted the loose board beside the stove, and \
    there it lay, wrapped in a piece of sailcloth, dry as the day on which it had been hidden. On the last page there \
    was no number, only a sentence in a careful hand: I have seen enough of them to know that they arrive.
    """

  private static let encyclopedia = """
    The common swift (Apus apus) is a medium-sized bird that breeds across Europe and much of Asia and spends the \
    northern winter in central and southern Africa. Adults are 16 to 17 centimetres long, have a wingspan of 38 to 40 \
    centimetres and weigh about 40 grams. Except for a pale patch on the throat the plumage is dark brown. Swifts feed \
    on flying insects, drink by skimming the surface of lakes and rivers, and are known to sleep in the air; outside \
    the breeding season an individual may stay aloft for ten months without landing.

    Originally the species nested in hollow trees and cliffs. Today most pairs breed in buildings, in gaps under roof \
    tiles or behind gutters, and return to the same place year after year. The clutch consists of two or three eggs, \
    which hatch after roughly 20 days. Young birds leave the nest after six weeks and never come back to it. Because \
    renovated houses offer few openings, numbers have fallen in several countries since the 1990s; nest boxes and \
    hollow bricks are among the measures that have been tried with success.
    """

  private static let dialogue = """
    ANNA: Did you reach the garage before it closed?
    BEN: Just about. They say it is the pump, not the battery.
    ANNA: And what does that cost?
    BEN: Two hundred and forty, plus tax. If we wait until Thursday they can use a second-hand part, and then it would \
    be more like a hundred and fifty.
    ANNA: We can't wait until Thursday. Your mother's train gets in on Wednesday at ten past six.
    BEN: I know. I could ask Farid for his van.
    ANNA: The one with the door that doesn't shut?
    BEN: It shuts. You only have to lift it a little while you push.
    ANNA: All right, ask him. But please, this time, fill up the tank before you give it back!
    """

  private static let code = """
    def moving_average(values, width):
        \"""Means of `width` neighbours; the result is shorter than `values` by `width - 1`.\"""
        if not 1 <= width <= len(values):
            raise ValueError(f"width must be between 1 and {len(values)}, not {width}")
        total = sum(values[:width])
        means = [total / width]
        for old, new in zip(values, values[width:]):
            total += new - old
            means.append(total / width)
        return means


    if __name__ == "__main__":
        temperatures = [12.5, 13.0, 15.5, 14.0, 9.5, 11.0, 16.5]
        for day, mean in enumerate(moving_average(temperatures, 3), start=2):
            print(f"day {day}: {mean:.2f} degrees")
    """

  private static let instructions = """
    Question: A baker sells rolls in bags of six. On Saturday she sold 34 full bags in the morning and 19 in the \
    afternoon, and at the end of the day 5 single rolls were left over. How many rolls had she baked?

    Answer: In the morning she sold 34 × 6 = 204 rolls, and in the afternoon 19 × 6 = 114. Together that is 318. With \
    the 5 that were left over, she had baked 318 + 5 = 323 rolls.

    How to repot a plant: 1. Water it well the day before. 2. Choose a pot that is about two fingers wider than the \
    old one, with a hole in the bottom. 3. Loosen the roots gently and shake off the old soil. 4. Set the plant so \
    that it stands as deep as it did before, fill up with fresh soil and press it down lightly. 5. Water again, and \
    keep it out of direct sun for a week.
    """
}

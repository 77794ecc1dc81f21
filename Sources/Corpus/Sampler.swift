/// Draws a calibration sample from text.
///
///     let sampler = try Sampler(
///       sources: [TextSource(patterns: ["corpora/*.jsonl"])], tokens: 65536, sequenceLength: 512, seed: 1)
///     let sample = try sampler.sample(endOfText: 0, tokenizer: modelHash, encode: tokenizer.encode)
///
/// Every distinct document gets a place in a random order that depends on its text and the seed
/// alone, so neither the order of files nor of lines matters (bottom-k sampling: E. Cohen and H.
/// Kaplan, "Summarizing data using bottom-k sketches", PODC 2007). Each source gives its first
/// documents until its share of the tokens is filled; the last one is cut to fit. Each source's
/// documents stay in that order and are spread evenly over the sample, so that every part of it is of
/// the same mixture; each followed by the end-of-text token, they are cut into sequences.
///
/// Before that, CR LF becomes LF, and documents of nothing but white space, or with the very text of
/// another, are dropped. It neither filters by quality nor finds near duplicates.
///
/// Memory: the sample, one document, and some 64 bytes a distinct document to know duplicates by.
public struct Sampler: Sendable {
  /// The most tokens of a sample; all of them are held in memory.
  public static let largestSample = 1 << 36

  public let sources: [TextSource]

  /// The tokens that were asked for; the sample has as many as fill whole sequences.
  public let tokens: Int
  public let sequenceLength: Int
  public let seed: UInt64

  /// - Throws: ``CorpusError/badRequest(reason:)`` where there is no source, a weight is not a positive
  ///   number, or the tokens don't make one sequence.
  public init(sources: [TextSource], tokens: Int, sequenceLength: Int, seed: UInt64) throws(CorpusError) {
    guard !sources.isEmpty else { throw .badRequest(reason: "there is no text source: name at least one") }
    guard tokens <= Self.largestSample else {
      throw .badRequest(reason: "\(tokens) tokens are more than a sample may have, \(Self.largestSample)")
    }
    guard sequenceLength > 0, tokens >= sequenceLength else {
      throw .badRequest(
        reason: "\(tokens) tokens don't make one sequence of \(sequenceLength): ask for more tokens or shorter ones")
    }
    for source in sources {
      guard source.weight > 0, source.weight.isFinite else {
        throw .badRequest(
          reason: "the weight of \(source.patterns.joined(separator: ", ")) is \(source.weight): "
            + "it must be a positive number")
      }
      guard !source.patterns.isEmpty else { throw .badRequest(reason: "a text source names no file") }
    }
    self.sources = sources
    self.tokens = tokens
    self.sequenceLength = sequenceLength
    self.seed = seed
  }

  /// Reads all sources once and draws the sample.
  ///
  /// - Parameters:
  ///   - endOfText: The token that ends each document.
  ///   - tokenizer: The hash that identifies the tokenizer, for the provenance.
  ///   - progress: Called now and then from the calling thread.
  ///   - encode: The tokens of a text, without any special ones around them. Only documents that may
  ///     be in the sample are encoded.
  /// - Throws: ``CorpusError``, or what `encode` throws.
  public func sample(
    endOfText: Int32, tokenizer: String, progress: ((SamplingProgress) -> Void)? = nil,
    encode: (String) throws -> [Int32]
  ) throws -> TokenSequences {
    let files = try sources.map { source throws(CorpusError) in try Glob.expand(source.patterns) }
    var draw = SourceDraw(seed: seed, endOfText: endOfText, reporter: try ProgressReporter(files, report: progress))
    var accounts: [SampleProvenance.Source] = []
    var chosen: [Selection.Placed] = []
    for (index, share) in shares().enumerated() {
      let (account, selection) = try draw.read(sources[index], files: files[index], share: share, encode: encode)
      guard selection.tokens >= share else {
        throw CorpusError.tooFewTokens(
          patterns: account.patterns, available: selection.tokens, needed: share, sequenceLength: sequenceLength)
      }
      accounts.append(account)
      chosen += selection.placed(endOfText: endOfText)
    }
    chosen.sort()
    return try TokenSequences(
      tokens: chosen.flatMap(\.tokens), sequenceLength: sequenceLength,
      provenance: SampleProvenance(
        seed: seed, requestedTokens: tokens, endOfText: endOfText, tokenizer: tokenizer, sources: accounts))
  }

  /// Tokens of each source, by weight; together the tokens of all whole sequences. The limits
  /// between the shares are rounded rather than the shares, so that these always add up.
  func shares() -> [Int] {
    let total = tokens / sequenceLength * sequenceLength
    // Relative to the greatest, so that the sum of huge weights is still a number.
    let greatest = sources.map(\.weight).max() ?? 1
    let sum = sources.reduce(0) { $0 + $1.weight / greatest }
    var (reached, limit) = (0.0, 0)
    return sources.indices.map { index in
      reached += sources[index].weight / greatest
      let isLast = index == sources.count - 1
      let next = isLast ? total : min(total, Int((Double(total) * (reached / sum)).rounded()))
      defer { limit = next }
      return next - limit
    }
  }
}

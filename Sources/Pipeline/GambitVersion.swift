/// The version that files carry as their provenance.
public enum Gambit {
  public static let version = "0.1.0"
}

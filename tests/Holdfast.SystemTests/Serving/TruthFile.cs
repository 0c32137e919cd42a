namespace Holdfast.SystemTests.Serving;

/// <summary>
/// What the jobs themselves say they did: a file that each appends whole lines to, `ATTEMPT WORD`. Lines so short are appended in one piece
/// (write(2) with O_APPEND), so whatever else goes wrong this file is right.
/// </summary>
internal sealed class TruthFile(string path)
{
    public string Path { get; } = path;

    /// <summary>A piece of shell that tells the truth file a word.</summary>
    public string Tell(string word) => $"echo \"${{HOLDFAST_ATTEMPT%%:*}} $HOLDFAST_EXECUTION {word}\" >> '{Path}'";

    /// <summary>Every line told so far.</summary>
    public List<Truth> Read() =>
        File.Exists(Path)
            ?
            [
                .. File.ReadAllText(Path)
                    .Split('\n')[..^1]
                    .Select(static line => line.Split(' '))
                    .Select(static parts => new Truth(parts[0], parts[1], parts[2])),
            ] // What has no end yet is being appended.
            : [];

    public List<Truth> Of(string execution) => Read().FindAll(truth => truth.Execution == execution);

    /// <summary>Waits until some job has told a word.</summary>
    public Task WaitForAsync(string word) => Patience.UntilAsync(() => Read().Exists(truth => truth.Word == word), $"a job told '{word}'");
}

/// <summary>One line of the truth: which attempt of which execution did what.</summary>
internal sealed record Truth(string Attempt, string Execution, string Word);

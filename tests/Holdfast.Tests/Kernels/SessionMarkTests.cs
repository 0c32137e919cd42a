using System.Text;
using Holdfast.Engine.Kernels.Clients;

namespace Holdfast.Tests.Kernels;

public class SessionMarkTests
{
    [Fact]
    public void What_was_set_last_is_read_by_the_next_who_opens_it()
    {
        string folder = Directory.CreateTempSubdirectory("holdfast-").FullName;
        string path = Path.Combine(folder, "k", "s.mark");
        try
        {
            using (SessionMark mark = SessionMark.Open(path))
            {
                Assert.Null(mark.Read());
                mark.Set(new SessionPlace("01ATTEMPT", 10, 1));
                mark.Set(new SessionPlace("01ATTEMPT", 20, 2));
                mark.Set(new SessionPlace("01NEXTATTEMPT", 30, 3, IsEndTold: true));
                Assert.Equal(new SessionPlace("01NEXTATTEMPT", 30, 3, IsEndTold: true), mark.Read());
                mark.AddName("one"u8);
                mark.AddName("two"u8);
            }

            Assert.Equal(SessionMark.FileBytes, new FileInfo(path).Length);
            using SessionMark again = SessionMark.Open(path);
            Assert.Equal(new SessionPlace("01NEXTATTEMPT", 30, 3, IsEndTold: true), again.Read());
            Assert.Equal(["one", "two"], again.ReadNames().ConvertAll(static name => Encoding.UTF8.GetString(name)));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
